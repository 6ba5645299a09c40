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
        "--contact-sheet", type=Path, metavar="FILE", help="also write an overview of the frames as a picture"
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="decides everything that is drawn at random"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: a GPU if there is one")
