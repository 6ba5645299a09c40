"""Stage II in one call: a portrait, a motion and its sound become a video file, a few frames at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..base.ahead import ahead
from ..base.notes import Note, unnoted
from ..base.timebase import FPS
from ..marks.record import COMPOSITE, Record
from ..media.background_lock import locked_frames
from ..media.contact_sheet import SheetCollector
from ..media.frame_rate import output_rate, write_at_rate
from ..media.framing import fit_image
from ..media.images import save_image, to_uint8
from ..media.mask_framing import framed_regions
from ..media.portrait_framing import PortraitFraming
from ..media.video_writer import VideoWriter
from ..pose.motion_masks import motion_masks
from ..video.autoencoder import decoded_parts, frame_decoder
from ..video.denoise import Observer
from ..video.live_preview import LivePreview
from ..video.sampling import Sampling
from .conditions import ClipInputs
from .encoders import remembered
from .marking import MarkSettings
from .overflow import denoised
from .settings import StrPath
from .stages import Stage, Stages, no_stages

if TYPE_CHECKING:
    from ..audio.features import Encoder
    from ..media.waveform import Waveform
    from ..pose.given_masks import GivenMasks
    from ..pose.motion import Motion
    from ..video.denoise import FinishedWork
    from ..video.model import VideoModel
    from .window_server import ClipHelper

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """What a video shows and sounds like.

    Attributes:
        image: the portrait, uint8 RGB (height, width, 3).
        motion: refers to an image of that shape.
        sound: the channels of the video's sound, one or two; none: it is silent.
        voice: the sound that the model uses; None: no audio.
        image_embeds: CLIP embedding (1, cross_dim) of the portrait for models that need it.
        portrait_pose: the pose in the portrait, where it is known.
        masks: given masks of some regions, in the framing of the image.
    """

    image: Frames
    motion: Motion
    sound: tuple[Waveform, ...] = ()
    voice: Waveform | None = None
    image_embeds: Tensor | None = None
    portrait_pose: Motion | None = None
    masks: GivenMasks | None = None


@dataclass(frozen=True)
class Output:
    """Where a video goes: its file and rate (None: the model's), and a contact sheet beside it if wanted.

    `record` is what the files say about their origin (None: nothing); `marks` has what the frames get.
    """

    path: StrPath
    fps: float | Fraction | None = None
    contact_sheet: StrPath | None = None
    record: Record | None = Record(COMPOSITE)
    marks: MarkSettings = MarkSettings()


def render(
    model: VideoModel,
    scene: Scene,
    output: Output,
    sampling: Sampling,
    *,
    lock_background: bool = False,
    encoders: Mapping[str, Encoder] | None = None,
    work: FinishedWork | None = None,
    stages: Stages = no_stages,
    precise: Callable[[VideoModel], VideoModel] | None = None,
    note: Note = unnoted,
    others: Sequence[VideoModel] = (),
    helpers: Sequence[ClipHelper] = (),
    latents: Tensor | None = None,
    hand_over: Callable[[Tensor], None] | None = None,
) -> tuple[Path, ...]:
    """Render and write the video, with the sound where there is one; returns the files.

    The video has the portrait's own framing: padding is cut off, a crop is pasted back.

    Args:
        lock_background: outside of what moves, the portrait's own pixels stay exactly.
        encoders: the speech encoders by name, for a model that needs one.
        work: keeps finished steps; see `denoise`.
        precise: what to go on with where numbers overflow, see `denoised`; `note` receives a remark.
        others: the same model on further devices, which share the windows; helpers: other processes.
        latents: sampled before, (frames, 4, h, w); hand_over: receives them, and there is no video.

    Raises:
        InputError: sizes or settings that do not work, a place that cannot be written, a full disk.
    """
    config, size = sampling.applied_to(model.config), sampling.size(model.config)
    portrait, fitted = fit_image(scene.image, size, sampling.fitted)
    framing = PortraitFraming(fitted, scene.image)
    rate = output_rate(FPS if output.fps is None else output.fps)
    # Fails early for a place that cannot be written.
    writer = VideoWriter(
        output.path, *framing.size(size), fps=rate, audio=scene.sound or None, record=output.record
    )
    if latents is None:
        motion = fitted.motion_to_target(scene.motion)
        masks = motion_masks(motion)
        if scene.masks is not None:
            masks = framed_regions(masks, scene.masks, fitted.source, fitted.target, sampling.fitted)
        inputs = ClipInputs(portrait, motion, masks, scene.voice, config, scene.image_embeds)
        for helper in helpers:
            helper.begin(inputs)
        conditions = partial(inputs.conditions, encoders=remembered(encoders))
        first = conditions(model, progress=stages(Stage.CONDITIONS))
        shared = [(other, conditions(other)) for other in others]
        preview = LivePreview(lambda x: next(final_frames(model, x, framing))[-1])
        observer = Observer(stages(Stage.SAMPLING), preview, work)
        model, latents = denoised(
            model, first, conditions, sampling, observer, precise, note, shared, helpers
        )
    if hand_over is not None:
        hand_over(latents)
        return ()
    frames = final_frames(model, latents, framing)
    if lock_background:
        frames = locked_frames(frames, scene.motion, framing.portrait(size), scene.portrait_pose)
    frames = output.marks.framed(frames)
    sheet = SheetCollector(scene.motion.frames)
    with writer as video:
        write_at_rate(video, sheet.passing(ahead(frames)), scene.motion.frames, rate, stages(Stage.WRITING))
    if output.contact_sheet is None:
        return (Path(output.path),)
    save_image(output.contact_sheet, sheet.picture(), output.record)
    return Path(output.path), Path(output.contact_sheet)


def final_frames(model: VideoModel, latents: Tensor, framing: PortraitFraming) -> Iterator[Frames]:
    """The latents' frames, uint8 (n, height, width, 3), a few at a time, in the portrait's framing."""
    whole = framing.is_whole((8 * latents.shape[3], 8 * latents.shape[2]))
    for part in decoded_parts(frame_decoder(model.autoencoder, model.config.latent_scale), latents):
        frames = to_uint8(part)
        yield frames if whole else framing.restore(frames)
