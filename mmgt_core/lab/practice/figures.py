"""What a practice run has to show: on recordings and people that training did not see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...audio.windows import frame_windows
from ...base.correlation import pearson
from ...checkpoints.smga import load_smga
from ...checkpoints.speaker_adapter import Speaker
from ...checkpoints.video import load_video_model
from ...pose.motion import Motion
from ...pose.mouth import aperture
from ...smga.generate import generate_motion
from ...smga.network import SMGA
from ...smga.sampling import MotionSampling
from ..dataset.clip import Clip
from ..dataset.layout import INFO, MOTION, PROSODY, SPEECH, VIDEO
from ..dataset.reader import PreparedData
from ..metrics.bootstrap import Interval, bootstrap, mean
from ..metrics.image import psnr
from ..metrics.motion import wrist_speed
from ..sources.models import VideoModelSource
from ..training.speaker_clips import SpeakerClips
from .recipe import Practice

ENTRIES = (INFO, MOTION, PROSODY, SPEECH, VIDEO)
PICTURES, FRAMES = 6, 12  # clips rendered, and frames of each
FIRST = 25  # frame at which a rendered window begins; the reference is frame 0


@dataclass(frozen=True)
class PracticeFigures:
    """The figures; each with its interval over clips.

    Attributes:
        lips: correlation of the mouth's opening, generated from held-out speech, with the true one;
            other_lips: the same with the sound of another clip.
        picture: PSNR (dB) of held-out people rendered from true poses; still: of their first frame, repeated.
        gesture, own_gesture: size of the speaker's generated gestures over that of the true ones, without and
            with the adapter.
        own_picture, adapted_picture: PSNR (dB) of the speaker's held-out clips, without and with the adapter.
    """

    lips: Interval
    other_lips: Interval
    picture: Interval
    still: Interval
    gesture: Interval
    own_gesture: Interval
    own_picture: Interval
    adapted_picture: Interval


def measure(practice: Practice, adapter: Path) -> PracticeFigures:
    """Measure a finished practice run."""
    held = list(clips_of(PreparedData.open(practice.data), None))
    motion_file = practice.folder / "smga" / "motion.safetensors"
    video_file = practice.folder / "video" / "video.safetensors"
    model = load_smga(motion_file)
    lips = [_lips(model, clip, clip) for clip in held]
    shifted = [_lips(model, clip, held[(index + 1) % len(held)]) for index, clip in enumerate(held)]
    source = VideoModelSource(load_video_model(video_file))
    pictures = [render_error(source, clip) for clip in held[:PICTURES]]
    own_data = PreparedData.open(practice.own_data)
    speaker = SpeakerClips.of(own_data, "", practice.speaker().held_out)
    own = list(clips_of(own_data, speaker.held_out))
    adapted = load_smga(motion_file, speaker=Speaker(adapter))
    adapted_source = VideoModelSource(load_video_model(video_file, speaker=Speaker(adapter)))
    return PracticeFigures(
        lips=_interval(lips),
        other_lips=_interval(shifted),
        picture=_interval([rendered for rendered, _ in pictures]),
        still=_interval([still for _, still in pictures]),
        gesture=_interval([_gesture_ratio(model, clip) for clip in own]),
        own_gesture=_interval([_gesture_ratio(adapted, clip) for clip in own]),
        own_picture=_interval([render_error(source, clip)[0] for clip in own]),
        adapted_picture=_interval([render_error(adapted_source, clip)[0] for clip in own]),
    )


def clips_of(data: PreparedData, keys: Set[str] | None) -> Iterator[Clip]:
    """The clips of these keys, else those of the validation split."""
    shards = data.shards("validation") if keys is None else data.shards_with(keys)
    for shard in shards:
        for clip in data.iterate(shard, ENTRIES):
            if keys is None or clip.info.key in keys:
                yield clip


def generated(model: SMGA, clip: Clip, sound: Clip) -> Motion:
    """The motion that the model makes of a clip's first pose and a clip's sound."""
    assert sound.prosody is not None, "asked for"
    features = torch.from_numpy(sound.prosody).float()
    return generate_motion(model, features, clip.poses().window([0]), MotionSampling())


def render_error(source: VideoModelSource, clip: Clip) -> tuple[float, float]:
    """PSNR, mean over frames, of a window rendered from its true poses, and of the reference repeated."""
    true, made, reference = rendered(source, clip)
    return float(psnr(made, true).mean()), float(psnr(reference.expand_as(true), true).mean())


def rendered(source: VideoModelSource, clip: Clip) -> tuple[Tensor, Tensor, Tensor]:
    """A window's true and rendered frames (n, s, s, 3), and the reference image (1, s, s, 3), in [0, 1]."""
    assert clip.speech is not None, "asked for"
    chosen = list(range(FIRST, FIRST + FRAMES))
    images = torch.from_numpy(clip.images([0, *chosen])).float() / 255
    sound = frame_windows(torch.from_numpy(clip.speech).float(), source.model.config.audio_window // 2)
    made = source.render(images[0], clip.poses().window(chosen), sound[chosen], seed=0)
    return images[1:], made, images[:1]


def _lips(model: SMGA, clip: Clip, sound: Clip) -> float:
    made, true = aperture(generated(model, clip, sound)), aperture(clip.poses())
    length = min(len(made), len(true))
    return float(pearson(made[:length], true[:length]))


def _gesture_ratio(model: SMGA, clip: Clip) -> float:
    own, true = (float(wrist_speed(m).mean()) for m in (generated(model, clip, clip), clip.poses()))
    return own / max(true, 1e-6)


def _interval(values: Sequence[float]) -> Interval:
    return bootstrap(mean, np.array(values))
