"""Node: decodes latents to a video file with sound."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
import numpy as np
from comfy_api.latest import io
from numpy.typing import NDArray

from ..mmgt_core.base.errors import InputError
from ..mmgt_core.marks.record import COMPOSITE
from ..mmgt_core.media.frame_rate import output_rate, write_at_rate
from ..mmgt_core.media.portrait_framing import PortraitFraming
from ..mmgt_core.media.video_writer import VideoWriter
from .comfy.audio import Audio, channels_of
from .comfy.decoding import decoded_frames, decoded_size, framing_of
from .comfy.marked_video import MarkedVideo, TemporaryFile
from .comfy.node_text import show_message
from .comfy.prompt_details import prompt_details
from .comfy.services import FRAME_RATE, host_fix, host_progress
from .comfy.sockets import CATEGORY, FRAMING, MotionSocket, Pose, PoseKeypointSocket, as_motion
from .mark_inputs import WITHOUT_MARKS, mark_inputs, mark_settings

if TYPE_CHECKING:
    from comfy.sd import VAE

PORTRAIT, SAMPLED = "portrait", "as sampled"
EMPTY_AUDIO = "The audio has no samples: the video is silent."


class MMGTDecodeVideo(io.ComfyNode):
    """LATENT -> VIDEO."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MMGTDecodeVideo",
            display_name="MMGT Decode Video",
            category=CATEGORY,
            description=(
                "Decodes latents to a video file with sound, a few frames at a time, and "
                "restores the portrait's framing."
            ),
            inputs=[
                io.Latent.Input(
                    "latent", tooltip="Latents from MMGT Sampler, or from a sampler that uses MMGT Apply."
                ),
                io.Vae.Input("vae", tooltip="VAE that the portrait was encoded with."),
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip=(
                        "Optional audio output of MMGT Audio Features. Without it, the video is silent."
                    ),
                ),
                io.Float.Input(
                    "fps",
                    default=FRAME_RATE,
                    min=1.0,
                    max=120.0,
                    step=0.01,
                    tooltip=(
                        "Frame rate of the video file in frames per second. The models generate 25; "
                        "other rates repeat or drop frames and keep the duration."
                    ),
                ),
                io.Combo.Input(
                    "framing",
                    options=[PORTRAIT, SAMPLED],
                    default=PORTRAIT,
                    optional=True,
                    tooltip=(
                        "portrait = remove padding and paste a crop back into the portrait; as "
                        "sampled = keep the frames unchanged."
                    ),
                ),
                io.Boolean.Input(
                    "lock_background",
                    default=False,
                    optional=True,
                    tooltip=(
                        "Uses the portrait's pixels wherever the person never appears, so the "
                        "background stays still. Requires motion."
                    ),
                ),
                io.MultiType.Input(
                    "motion",
                    types=[MotionSocket, PoseKeypointSocket],
                    optional=True,
                    tooltip="Motion of the video, which lock_background needs to locate the person.",
                ),
                io.MultiType.Input(
                    "portrait_pose",
                    types=[MotionSocket, PoseKeypointSocket],
                    optional=True,
                    tooltip=(
                        "Pose of the portrait for lock_background. Needed only if the motion starts "
                        "from a different pose."
                    ),
                ),
                *mark_inputs(),
            ],
            outputs=[io.Video.Output("video", display_name="video")],
            hidden=[io.Hidden.prompt, io.Hidden.unique_id],  # for mark_details
        )

    @classmethod
    def execute(
        cls,
        latent: dict[str, Any],
        vae: VAE,
        fps: float,
        audio: Audio | None = None,
        framing: str = PORTRAIT,
        lock_background: bool = False,
        motion: Pose | None = None,
        portrait_pose: Pose | None = None,
        **marks: Any,
    ) -> io.NodeOutput:
        rate, origin = output_rate(fps), mark_settings(**marks)
        details = origin.mark_details and prompt_details(cls.hidden.prompt, str(cls.hidden.unique_id))
        record = origin.record(COMPOSITE, details or None)
        sound = channels_of(audio, least=1)  # before anything is decoded
        if audio is not None and not sound:
            show_message(EMPTY_AUDIO)
        fitted = framing_of(latent) if framing == PORTRAIT else None
        chunks = decoded_frames(latent, vae, fitted)
        if lock_background:
            chunks = locked(chunks, latent, framing, motion, portrait_pose)
        chunks = origin.framed(chunks)
        if record is None:
            show_message(WITHOUT_MARKS)
        path = new_video_path()
        total, first = latent["samples"].shape[0], next(chunks)
        size = (first.shape[2], first.shape[1])
        require_room(path.parent, round(total * float(rate) / FRAME_RATE), size)
        with VideoWriter(path, *size, rate, audio=list(sound) or None, record=record) as video:
            write_at_rate(video, chain([first], chunks), total, rate, host_progress())
        return io.NodeOutput(MarkedVideo(TemporaryFile(path)))


def new_video_path() -> Path:
    """A new file name in the host's folder for temporary files."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"mmgt_{secrets.token_hex(8)}.mp4"


def require_room(folder: Path, frames: int, size: tuple[int, int]) -> None:
    """Raise InputError before decoding if the file would not fit on the disk."""
    from ..mmgt_core.pipeline.kept_work import video_bytes
    from ..mmgt_core.work.disk import require_space

    with host_fix("free some space, or start ComfyUI with --temp-directory on another disk"):
        require_space({folder: video_bytes(frames, size)})


def locked(
    chunks: Iterator[NDArray[np.uint8]],
    latent: dict[str, Any],
    framing: str,
    motion: Pose | None,
    portrait_pose: Pose | None,
) -> Iterator[NDArray[np.uint8]]:
    """The chunks, with the portrait's pixels wherever the person never appears.

    Raises InputError if there is no motion, or if the LATENT does not contain its portrait.
    """
    from ..mmgt_core.media.background_lock import locked_frames

    fitted: PortraitFraming | None = latent.get(FRAMING)
    if fitted is None or motion is None:
        missing = "a motion" if motion is None else "the portrait, which this latent does not contain"
        raise InputError(
            f"the background cannot be locked without {missing}",
            where="lock_background",
            fix="connect motion and a latent from MMGT Sampler or MMGT Apply, or turn lock_background off",
        )
    poses = [as_motion(pose) for pose in (motion, portrait_pose) if pose is not None]
    image = fitted.portrait(decoded_size(latent["samples"]))
    if framing == SAMPLED:
        poses = [fitted.framing.motion_to_target(pose) for pose in poses]
        image = fitted.framing.apply(fitted.picture)
    return locked_frames(chunks, poses[0], image, poses[1] if portrait_pose is not None else None)
