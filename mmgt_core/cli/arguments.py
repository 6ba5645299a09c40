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
    group.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="side of the square that is computed, a multiple of 64 (default: the model's own)",
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
        "--background-lock",
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
    ends = group.add_mutually_exclusive_group()
    ends.add_argument(
        "--closed-loop",
        action="store_true",
        default=None,
        help="the last window reaches over to the first frames, as published",
    )
    ends.add_argument(
        "--open-ends", dest="closed_loop", action="store_false", help="the last window ends with the clip"
    )
    group.add_argument(
        "--fusion",
        choices=("flat", "pyramid"),
        help="where windows overlap: their mean, or one fades into the other (default: the model's)",
    )
    group.add_argument(
        "--windows-per-batch",
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
    group.add_argument("--no-work", action="store_true", help="keep nothing; a run that stops begins anew")
    group.add_argument("--keep-work", action="store_true", help="keep the work of a run that is done, too")


def add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="decides everything that is drawn at random"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: a GPU if there is one")
