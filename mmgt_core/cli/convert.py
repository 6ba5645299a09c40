"""`mmgt convert`: a published checkpoint to safetensors, one file or plain parts, and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..base.errors import InputError
from ..base.sizes import readable_size
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    source: Positional[Path]
    """The checkpoint; code that it may contain is never run."""
    out: Path
    """Folder of the written files."""
    dtype: Literal["keep", "fp32", "fp16", "bf16"] = "keep"
    """Type of the floating-point weights; "keep" leaves each as it is."""
    split: bool = False
    """Write a video model as four files: plain SD1.5 UNet, reference UNet, motion modules, adapter."""
    back: bool = False
    """Restore the published names, from one file or from an adapter's four."""


def run(args: Options, console: Console) -> int:
    from ..base.tensor_file import DTYPES as TYPES
    from ..checkpoints.convert import convert, convert_back

    if args.split and args.back:
        raise InputError("--split and --back exclude each other", fix="use one of them")
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
