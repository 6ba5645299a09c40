"""`mmgt convert`: a published checkpoint to safetensors, one file or plain parts, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..base.sizes import readable_size
from .console import Console

NAME = "convert"
HELP = "published checkpoints (.pth, .pt, .ckpt) to safetensors with configuration and provenance, and back"
DTYPES = ("keep", "fp32", "fp16", "bf16")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", type=Path, metavar="SRC", help="the checkpoint; never runs what it may hold"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for what is written")
    parser.add_argument(
        "--dtype", choices=DTYPES, default="keep", help="what the weights are cast to; keep leaves them mixed"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--split",
        action="store_true",
        help="a video model in four files: plain SD1.5 UNet, reference UNet, motion modules, adapter",
    )
    way.add_argument(
        "--back", action="store_true", help="the published names again, of one file or of an adapter's four"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    from ..base.tensor_file import DTYPES as TYPES
    from ..checkpoints.convert import convert, convert_back

    dtype, progress = TYPES.get(args.dtype), console.stage("converting")
    if args.back:
        done = convert_back(args.source, args.out, dtype=dtype, progress=progress)
    else:
        done = convert(args.source, args.out, dtype=dtype, in_parts=args.split, progress=progress)
    console.close()
    print(f"{args.source}: {done.title}, SHA-256 {done.source_sha256}")
    for name, why in done.ignored.items():
        print(f"  left out: {name} ({why})")
    for file in done.written:
        print(f"{file.path}")
        print(f"  {file.tensors} tensors, {' and '.join(file.dtypes)}, {readable_size(file.size)}")
        print(f"  SHA-256 {file.sha256}")
    return 0
