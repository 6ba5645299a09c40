"""From audio features and a first pose to a motion of any length."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..base.errors import InputError
from ..base.progress import Progress, silent
from ..pose.absent import with_places
from ..pose.body_limits import within_body_limits
from ..pose.gesture_track import draw_track
from ..pose.motion import Motion
from ..pose.skeleton import VISIBLE_SCORE
from .alignment import PRESENTER, PUBLISHED, Alignment
from .config import SMGAConfig
from .diffusion import ddim_sample
from .network import SMGA
from .overlap import sample_overlapping
from .sampling import MotionSampling
from .visibility import visible_scores
from .windows import Chain, without_legs


@torch.no_grad()
def generate_motion(
    model: SMGA,
    features: Tensor,
    first_pose: Motion,
    sampling: MotionSampling,
    progress: Progress = silent,
    *,
    track: Tensor | None = None,
) -> Motion:
    """Generate the motion (frames, 134, 3) of a person who speaks what the features describe.

    The same seed gives the same motion: all noise comes from CPU generators, whatever the model's device.
    Points that the first pose does not have get a plausible place. The silence gate comes afterwards.

    Args:
        model: in eval mode.
        features: (frames, audio_channels) Stage I features at 25 fps, at least one frame; any length.
        first_pose: its first frame is the pose that the motion begins with.
        sampling: how; None in it = what the preset or the model's configuration says.
        progress: called after each network call.
        track: (frames, channels) of `pose.gesture_track`, for models that read one; None = drawn from the
            seed with the style, strength and handedness of `sampling`.

    Raises InputError for features, tracks, poses or settings that do not fit the model.
    """
    _check(model.config, features, first_pose)
    chosen = sampling.applied_to(model.config)
    features = with_track(model.config, features, chosen, track)
    placed = with_places(first_pose.window([0]), legs=not model.config.legs_at_origin)
    frame = PRESENTER if model.config.legs_at_origin else PUBLISHED
    alignment = Alignment.of(placed, frame) if chosen.align == "training frame" else None
    pose = (placed if alignment is None else alignment.apply(placed)).to_network()[0].float()
    pose = without_legs(pose) if chosen.legs == "zero" else pose
    ddim: dict[str, Any] = {
        "steps": chosen.steps,
        "guidance": chosen.guidance,
        "eta": chosen.eta,
        "spacing": chosen.spacing,
        "first_pose_ramp": chosen.first_pose_ramp,
    }
    shift = chosen.motion_shift or 0
    with model.ready():
        if chosen.chaining == "overlap":
            flat = sample_overlapping(
                model,
                features,
                pose,
                seed=chosen.seed,
                overlap=chosen.overlap,
                windows_at_once=chosen.windows_at_once,
                progress=progress,
                **ddim,
            ).cpu()
        else:
            visible = first_pose.keypoints[0, :, 2] >= VISIBLE_SCORE
            flat = _chained(model, features, pose, visible, chosen, ddim, progress)
            shift -= chosen.chaining == "official"  # which is one frame late by itself
    motion = Motion.from_network(_shifted(flat, pose.cpu(), shift), first_pose.width, first_pose.height)
    motion = motion if alignment is None else alignment.undo(motion)
    assert chosen.visibility is not None
    motion.keypoints[..., 2] = visible_scores(motion, first_pose, chosen.visibility).cpu()
    return within_body_limits(motion, first_pose) if chosen.body_limits else motion


def with_track(
    config: SMGAConfig, features: Tensor, sampling: MotionSampling, track: Tensor | None = None
) -> Tensor:
    """Features (frames, audio_channels) and the gesture track behind them, as the network reads both:
    (frames, condition_channels). The features alone for models without tracks.

    Raises InputError for a track that does not fit.
    """
    if not config.control_channels:
        if track is not None:
            raise InputError("this Stage I model reads no gesture track", fix="give none")
        return features
    if track is None:
        track = torch.from_numpy(draw_track(len(features), sampling.seed, sampling.gestures))
    if track.shape != (len(features), config.control_channels) or not bool(track.isfinite().all()):
        raise InputError(
            f"the gesture track has the shape {tuple(track.shape)} or values that are not finite",
            fix=f"give finite values of the shape {(len(features), config.control_channels)}",
        )
    return torch.cat([features, track.to(features)], dim=1)


def _shifted(flat: Tensor, pose: Tensor, frames: int) -> Tensor:
    """The motion (n, 402) later by `frames`: the first pose fills the beginning, the last frame the end."""
    if frames > 0:
        return torch.cat([pose.expand(min(frames, len(flat)), -1), flat[:-frames]])
    rest = flat[-frames:]
    return torch.cat([rest, flat[-1:].expand(len(flat) - len(rest), -1)])


def _chained(
    model: SMGA,
    features: Tensor,
    pose: Tensor,
    visible: Tensor,
    chosen: MotionSampling,
    ddim: dict[str, Any],
    progress: Progress,
) -> Tensor:
    """Window after window, each from the end of the last: (frames, 402) on the CPU."""
    device, chain = model.device, Chain(model.config.frames, chosen.chaining or "chained")
    features, pose, visible = features.to(device, torch.float32), pose.to(device), visible.to(device)
    visible = visible if visible.any() else torch.ones_like(visible)
    starts = chain.starts(len(features))
    generator = torch.Generator().manual_seed(chosen.seed)
    windows: list[Tensor] = []
    for index, start in enumerate(starts):
        previous = windows[-1] if windows else None
        velocity = None if previous is None else chain.next_velocity(previous)
        condition = pose if previous is None else chain.next_condition(previous, pose)

        def window_progress(done: int, total: int, preview: Any = None, /, *, index: int = index) -> None:
            progress(index * total + done, len(starts) * total, preview)

        drawn = ddim_sample(
            model,
            condition[None],
            chain.audio(features, start)[None],
            generator=generator,
            first_velocity=None if velocity is None else velocity[None],
            candidates=1 if previous is None else chosen.candidates,
            progress=window_progress,
            **ddim,
        )
        windows.append(drawn[0] if previous is None else chain.choose(drawn, previous, visible))
    return chain.assemble(windows, len(features), pose).cpu()


def _check(config: SMGAConfig, features: Tensor, first_pose: Motion) -> None:
    if features.ndim != 2 or features.shape[1] != config.audio_channels:
        raise InputError(
            f"this Stage I model needs features of the shape (frames, {config.audio_channels}), not "
            f"{tuple(features.shape)}",
            fix="extract the features that the model's configuration asks for",
        )
    if len(features) == 0:
        raise InputError("the audio features hold no frame", fix="give a recording that is not empty")
    if not bool(features.isfinite().all()):
        raise InputError(
            "the audio features hold values that are not finite",
            fix="run the speech encoder in fp32; if that does not help, check the recording",
        )
    if first_pose.frames == 0:
        raise InputError("the first pose holds no frame", fix="give the keypoints of one person")
    if not bool(first_pose.keypoints[0].isfinite().all()):
        raise InputError("the first pose holds values that are not numbers", fix="check the keypoints")
