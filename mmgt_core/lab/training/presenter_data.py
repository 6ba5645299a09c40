"""Images to train on: presenters at moments of their speech, with pose images, boxes, masks
and sound windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...audio.windows import frame_windows
from ...base.pool import ordered_map
from ...base.progress import Progress, silent
from ...pose import skeleton
from ...pose.drawing import draw_pose
from ...pose.motion import Motion
from ...pose.motion_masks import MotionMasks, motion_masks
from ...video.config import VideoConfig
from ...video.mask_pyramid import LEVELS, mask_pyramid
from ..presenter.draw import draw_frames
from ..presenter.held_out import training_seed
from ..presenter.identity import sample_identity
from ..presenter.motion_rules import perform
from .hiding import freeze_face, hide_mouth
from .speech_data import SpeechData

BOXES = ("face", "left hand", "right hand", "lips", "eyes")
HIDDEN_SHARE = 1 / 3  # of the clips whose pose images lack lips and jaw, or the whole face
WHOLE_FACE_SHARE = 0.35  # of these


@dataclass(frozen=True)
class PictureSet:
    """Clips of a fixed length; `n` clips of `f` frames, `s` pixels wide and high.

    Attributes:
        frames: uint8 (n, f, s, s, 3), or empty when they were encoded already.
        poses: uint8 (n, f, s, s, 3) pose images; in some clips lips and jaw or the whole face are hidden.
        references: uint8 (n, 2, s, s, 3): the presenter at rest, and at another moment.
        boxes: float32 (n, f, 5, 4) as x1, y1, x2, y2 in fractions of the image, in the order of `BOXES`.
        masks: float16 (n, f, 3, h, w) for each level of the mask pyramid, h and w from s/8 down; where
            the lips are hidden they are those of one moment, so that nothing but the sound tells how
            the mouth moves.
        sound: float16 (n, f, window, 1, bands).
        openings: float32 (n, f), the true mouth opening.
    """

    frames: Tensor
    poses: Tensor
    references: Tensor
    boxes: Tensor
    masks: tuple[Tensor, ...]
    sound: Tensor
    openings: Tensor

    @property
    def clips(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True)
class _Job:
    phonemes: list
    frames: int
    log_mel: np.ndarray
    seed: int
    moments: tuple[int, ...]
    other: int
    frozen: int
    hidden: str
    config: VideoConfig


def make_picture_set(
    speech: SpeechData,
    config: VideoConfig,
    clips: int,
    frames: int,
    *,
    contiguous: bool,
    seed: int,
    first_identity: int = 1000,
    poses: bool = True,
    workers: int = 1,
    progress: Progress = silent,
) -> PictureSet:
    """Draw `clips` presenters, each saying one clip of `speech`, at `frames` moments of it.

    Args:
        config: size, pose style and audio window.
        contiguous: neighboring frames (for the video phase) instead of scattered ones.
        seed: presenter k has the seed `seed * 1000000 + first_identity + k`.
        poses: also draw pose images (the autoencoder needs none).
    """
    jobs = [
        _job(speech, config, index, frames, contiguous, training_seed(seed, first_identity + index), poses)
        for index in range(clips)
    ]
    tensors: dict[str, Tensor] = {}
    for index, clip in enumerate(ordered_map(_draw, jobs, workers=workers, progress=progress)):
        for name, value in clip.items():
            if not index:
                tensors[name] = torch.from_numpy(np.empty((clips, *value.shape), value.dtype))
            tensors[name][index] = torch.from_numpy(value)
    masks = tuple(tensors.pop(f"masks{level}") for level in range(LEVELS))
    return PictureSet(**tensors, masks=masks)


def _job(
    speech: SpeechData, config: VideoConfig, index: int, frames: int, contiguous: bool, seed: int, poses: bool
) -> _Job:
    rng = np.random.default_rng([0xF12A3E, seed])
    clip = int(rng.integers(speech.clips))
    length = speech.frames(clip)
    if contiguous:
        start = int(rng.integers(length - frames + 1))
        moments = tuple(range(start, start + frames))
    else:
        moments = tuple(sorted(int(m) for m in rng.choice(length, frames, replace=False)))
    hidden = "none" if not poses else str(rng.choice(["none", "mouth", "face"], p=_hidden_shares()))
    return _Job(
        speech.phonemes_of(clip),
        length,
        speech.log_mel[speech.frame_range(clip)].float().numpy(),
        seed,
        moments,
        int(rng.integers(length)),
        int(rng.integers(length)),
        hidden if poses else "no pose",
        config,
    )


def _hidden_shares() -> list[float]:
    face = HIDDEN_SHARE * WHOLE_FACE_SHARE
    return [1 - HIDDEN_SHARE, HIDDEN_SHARE - face, face]


def _draw(job: _Job) -> dict[str, np.ndarray]:
    identity = sample_identity(job.seed)
    performance = perform(job.phonemes, job.frames / 25, identity, job.seed)
    config, motion = job.config, performance.motion
    chosen = motion.window(list(job.moments))
    size = config.size
    masks = motion_masks(chosen)
    rasters = (masks if job.hidden in ("none", "no pose") else motion_masks(_frozen(motion, job))).rasters()
    latent_size = (size // 8, size // 8)
    pyramid = mask_pyramid(rasters.face_hands, rasters.lips, latent_size, config.full_mask, rasters.hands)
    sound = frame_windows(torch.from_numpy(job.log_mel)[:, None], config.audio_window // 2)
    no_poses = np.zeros((len(job.moments), 0, 0, 3), np.uint8)
    return {
        "frames": draw_frames(identity, chosen, size),
        "poses": no_poses
        if job.hidden == "no pose"
        else draw_pose(_hide(chosen, job.hidden), size, config.pose_style),
        "references": draw_frames(identity, motion.window([0, job.other]), size),
        "boxes": picture_boxes(chosen, masks),
        **{f"masks{level}": masks.half().numpy() for level, masks in enumerate(pyramid.levels)},
        "sound": torch.as_tensor(sound)[list(job.moments)].half().numpy(),
        "openings": performance.aperture[list(job.moments)].astype(np.float32),
    }


def _hide(motion: Motion, what: str) -> Motion:
    """The motion without some of its points: "none" of them, those of the "mouth" (lips, jaw), of
    the whole "face".
    """
    if what == "mouth":
        return hide_mouth(motion)
    keypoints = motion.keypoints.clone()
    if what == "face":
        keypoints[:, skeleton.FACE, 2] = 0
    return replace(motion, keypoints=keypoints)


def _frozen(motion: Motion, job: _Job) -> Motion:
    """The chosen moments with the face of one moment throughout, for its boxes."""
    return freeze_face(motion.window([job.frozen, *job.moments])).window(slice(1, None))


def picture_boxes(motion: Motion, masks: MotionMasks) -> np.ndarray:
    """float32 (frames, 5, 4): face, hands, lips and eyes in fractions of the image; hands and
    lips a little grown.
    """
    size = np.array([masks.width, masks.height] * 2, np.float32)
    lips, hands = masks.lips / size, masks.hands / size
    grow = np.array([-0.02, -0.02, 0.02, 0.02], np.float32)
    points = motion.keypoints[:, skeleton.RIGHT_EYE_RING.start : skeleton.LEFT_EYE_RING.stop, :2].numpy()
    eyes = np.concatenate([points.min(1), points.max(1)], axis=-1) + grow / 2
    face = masks.face / size + np.array([0, -0.06, 0, 0.01], np.float32)
    return np.stack([face, hands[:, 0] + grow, hands[:, 1] + grow, lips + grow, eyes], axis=1).astype(
        np.float32
    )
