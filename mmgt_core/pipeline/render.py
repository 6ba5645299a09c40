"""Stage II as one call: a portrait, a motion and its sound become a video file, a few frames at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..base.progress import Progress, silent
from ..base.timebase import FPS
from ..media.contact_sheet import SheetCollector
from ..media.frame_rate import output_rate, shown_frames
from ..media.framing import Framing, fit_square
from ..media.images import save_image, to_uint8
from ..media.video_writer import VideoWriter
from ..video.autoencoder import decoded_parts
from ..video.denoise import denoise
from ..video.live_preview import LivePreview
from .conditions import clip_conditions
from .settings import StrPath, VideoSettings

if TYPE_CHECKING:
    from ..audio.features import Encoder
    from ..media.waveform import Waveform
    from ..pose.motion import Motion
    from ..video.model import VideoModel
    from ..work.steps import StepStore


@dataclass(frozen=True)
class Scene:
    """What a video shows and sounds like.

    Attributes:
        image: the portrait, uint8 RGB (height, width, 3).
        motion: refers to a picture of that shape.
        sound: what the video sounds like; None: it is silent.
        voice: what the model hears; None: nothing.
        image_embeds: CLIP embedding (1, cross_dim) of the portrait for models that want one.
        portrait_pose: the pose on the portrait, where it is known.
    """

    image: NDArray[np.uint8]
    motion: Motion
    sound: Waveform | None = None
    voice: Waveform | None = None
    image_embeds: Tensor | None = None
    portrait_pose: Motion | None = None


@dataclass(frozen=True)
class Output:
    """Where a video goes: its file and rate (None: the model's), and a contact sheet beside it if wanted."""

    path: StrPath
    fps: float | Fraction | None = None
    contact_sheet: StrPath | None = None


def render(
    model: VideoModel,
    scene: Scene,
    output: Output,
    settings: VideoSettings,
    *,
    encoders: Mapping[str, Encoder] | None = None,
    store: StepStore | None = None,
    stages: Callable[[str], Progress] = lambda name: silent,
) -> tuple[Path, ...]:
    """Render and write the video, with the sound where there is one; returns the files.

    A portrait that is not square is fitted by repeating its border, which the video then leaves out.

    Args:
        encoders: the speech encoders by name, for a model that hears through one.
        store: keeps finished steps; see `denoise`.

    Raises:
        InputError: sizes or settings that do not work, a place that cannot be written, a full disk.
    """
    config = settings.applied_to(model.config)
    portrait, framing = fit_square(scene.image, config.size)
    rate = output_rate(FPS if output.fps is None else output.fps)
    # Complains early about a place that cannot be written.
    writer = VideoWriter(output.path, *framing.resized, fps=rate, audio=scene.sound)
    conditions = clip_conditions(
        model,
        portrait,
        framing.motion_to_target(scene.motion),
        scene.voice,
        config,
        stages("conditions"),
        encoders,
        scene.image_embeds,
    )
    latents = denoise(
        model,
        conditions,
        seed=settings.seed,
        steps=config.steps,
        cfg=config.cfg,
        region_weights=config.region_weights,
        window=config.window,
        overlap=config.overlap,
        closed_loop=config.closed_loop,
        fusion=config.fusion,
        windows_per_batch=settings.windows_per_batch,
        progress=stages("motion to video"),
        preview=LivePreview(lambda x: next(final_frames(model, x, portrait, framing, scene, False))[-1]),
        store=store,
    )
    frames = final_frames(model, latents, portrait, framing, scene, settings.background_lock)
    sheet = SheetCollector(scene.motion.frames)
    done, progress = 0, stages("writing the video")
    with writer as video:
        for part in frames:
            sheet.add(part)
            shown = [index - done for index in shown_frames(done, done + len(part), rate)]
            if shown:
                video.write(part[shown])
            done += len(part)
            progress(done, scene.motion.frames, part[-1])
    if output.contact_sheet is None:
        return (Path(output.path),)
    save_image(output.contact_sheet, sheet.picture())
    return Path(output.path), Path(output.contact_sheet)


def final_frames(
    model: VideoModel,
    latents: Tensor,
    portrait: NDArray[np.uint8],
    framing: Framing,
    scene: Scene,
    background_lock: bool,
) -> Iterator[NDArray[np.uint8]]:
    """The latents' pictures without the padding, uint8 (n, height, width, 3), a few frames at a time."""
    cut = dataclasses.replace(framing, source=framing.resized)  # undoes the padding, keeps the scale
    lock: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None
    if background_lock:
        from ..media.background_lock import lock_background, moving_mask

        mask = moving_mask(scene.motion, framing.resized, portrait_pose=scene.portrait_pose)
        still = cut.restore(portrait[None])[0]
        lock = lambda frames: lock_background(frames, still, mask)  # noqa: E731
    for part in decoded_parts(model.autoencoder, latents, model.config.latent_scale):
        frames = cut.restore(to_uint8(part))
        yield frames if lock is None else lock(frames)
