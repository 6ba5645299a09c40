"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def seed(text: str) -> int:
    """A seed that every generator takes."""
    value = int(text)
    if not 0 <= value < 2**63:
        raise ValueError
    return value


def windows_at_once(text: str) -> int | None:
    """A number of windows; None for "auto"."""
    return None if text == "auto" else int(text)


def add_vocals(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--vocals",
        type=Path,
        metavar="FILE",
        help="the same recording without its music: the models hear it, the video sounds like --audio",
    )


def add_sound_range(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--start", type=float, default=0.0, metavar="SECONDS", help="leave this much of the recording out"
    )
    parser.add_argument(
        "--duration", type=float, metavar="SECONDS", help="use only this much of it (default: to its end)"
    )


def add_detector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector-dir",
        type=Path,
        metavar="FOLDER",
        help="folder with yolox_l.onnx and dw-ll_ucoco_384.onnx, which find the pose where it is not given",
    )
    parser.add_argument(
        "--person",
        type=int,
        metavar="N",
        help="which of several people the detector takes, the surest being 0 (default: the largest)",
    )


def add_motion_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("from speech to motion")
    group.add_argument(
        "--motion-model", type=Path, metavar="FILE", help="SMGA model (default: the shipped demo model)"
    )
    group.add_argument(
        "--wavlm",
        type=Path,
        metavar="FILE",
        help="WavLM-Large, file or folder, for models that hear through it",
    )
    group.add_argument(
        "--motion-steps", type=int, metavar="N", help="denoising steps (default: the model's own)"
    )
    group.add_argument(
        "--guidance", type=float, metavar="W", help="weight of the speech (default: the model's own)"
    )
    group.add_argument(
        "--candidates",
        type=int,
        default=1,
        metavar="N",
        help="motions to draw for each window; the best joint wins",
    )
    group.add_argument(
        "--no-silence-gate", action="store_true", help="do not hold the mouth still in silence"
    )


def add_video_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("from motion to video")
    group.add_argument(
        "--model", type=Path, metavar="FILE", help="video model (default: the shipped demo model)"
    )
    group.add_argument(
        "--wav2vec2",
        type=Path,
        metavar="FILE",
        help="wav2vec2-base-960h, file or folder, for models that hear through it",
    )
    group.add_argument(
        "--vae", type=Path, metavar="FILE", help="VAE of SD1.5, for models that bring no autoencoder"
    )
    group.add_argument(
        "--clip-vision",
        type=Path,
        metavar="FILE",
        help="CLIP's image encoder, for models that see the portrait through it",
    )
    for side in ("width", "height"):
        group.add_argument(
            f"--{side}",
            type=int,
            metavar="PIXELS",
            help=f"{side} of the sampled video, a multiple of 64 (default: the model's)",
        )
    group.add_argument(
        "--framing",
        choices=("pad", "crop", "stretch"),
        default="pad",
        help="how the portrait is fitted to that size; the video has the portrait's own framing again",
    )
    group.add_argument("--steps", type=int, metavar="N", help="denoising steps (default: the model's own)")
    group.add_argument(
        "--cfg", type=float, metavar="W", help="guidance; 1 is fastest (default: the model's own)"
    )
    group.add_argument(
        "--pose-weight",
        type=float,
        metavar="W",
        help="audio's weight in the whole picture (default: the model's own)",
    )
    group.add_argument(
        "--face-weight",
        type=float,
        metavar="W",
        help="its weight in face and hands (default: the model's own)",
    )
    group.add_argument(
        "--lip-weight", type=float, metavar="W", help="its weight at the lips (default: the model's own)"
    )
    group.add_argument(
        "--full-mask",
        choices=("1+lips", "hands", "1-face"),
        help="the whole-picture branch (default: the model's own)",
    )
    group.add_argument(
        "--lock-background",
        action="store_true",
        help="outside of what moves, the portrait's own pixels stay exactly",
    )
    _add_windows(parser)


def _add_windows(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("windows, in which clips of any length are computed (docs/windows.md)")
    group.add_argument(
        "--window", type=int, metavar="N", help="frames of a window (default: the model's own)"
    )
    group.add_argument(
        "--overlap", type=int, metavar="N", help="frames that neighbours share (default: the model's own)"
    )
    group.add_argument(
        "--window-ends",
        choices=("open", "closed loop"),
        help="closed loop: the last window wraps around to the first frames (default: the model's)",
    )
    group.add_argument(
        "--window-fusion",
        choices=("flat", "pyramid"),
        help="where windows overlap: their mean, or one fades into the other (default: the model's)",
    )
    group.add_argument(
        "--windows-at-once",
        type=windows_at_once,
        default="auto",
        metavar="N",
        help="windows computed side by side; auto: as many as fit on a GPU; fewer when memory runs out",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--fps",
        type=float,
        metavar="RATE",
        help="frames a second of the file: frames are repeated or left out (default: 25)",
    )
    group.add_argument(
        "--contact-sheet", type=Path, metavar="FILE", help="also write an overview of the frames as a picture"
    )
    group.add_argument(
        "--preview",
        type=Path,
        metavar="FILE",
        help="keep the newest frame in this picture while the run goes on",
    )


def add_work(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("unfinished work (docs/long_videos.md)")
    group.add_argument(
        "--work-dir",
        type=Path,
        metavar="FOLDER",
        help="where finished steps are kept, so that the same command goes on after a crash "
        "(default: MMGT_WORK, else the user's cache)",
    )
    group.add_argument(
        "--keep-work",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep finished steps on disk, so that the same command continues after a crash",
    )
    group.add_argument("--keep-finished", action="store_true", help="also keep the work of a complete run")


def add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="decides everything that is drawn at random"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: a GPU if there is one")
