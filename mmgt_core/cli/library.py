"""`mmgt library`: the motion library: list, add, show and export clips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..base.errors import InputError
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    action: Positional[Literal["list", "add", "show", "export"]]
    """list the clips, add a motion, show what is known of a clip, or export one as a motion file."""
    name: Positional[str] = ""
    """The clip, such as "built in/open" or "talks/hello"."""
    folder: Path = Path("output/mmgt_library")
    """The library. The clips of ComfyUI are in mmgt_library in its output folder."""
    tags: str = ""
    """list: only clips with these tags; add: the new clip's. Words with commas between them."""
    motion: Path | None = None
    """add: motion file (.safetensors), OpenPose JSON, or a folder of it."""
    audio: Path | None = None
    """add: its sound, any audio file."""
    license: str = ""
    """add: the license of the motion, such as CC0-1.0."""
    overwrite: bool = False
    """add: replace a clip of that name instead of adding a number to the new one."""
    out: Path | None = None
    """export: the motion file to write (.safetensors); the sound is written beside it."""


def run(args: Options, console: Console) -> int:
    from ..library.clips import found_clip, library, parsed_tags, tagged

    if args.action == "add":
        return _add(args, console)
    clips = library(args.folder)
    if args.action == "list":
        for clip in tagged(clips, parsed_tags(args.tags)):
            print(f"{clip.name}\t{clip.seconds:.2f} s\t{', '.join(clip.tags)}\t{clip.license}")
        return 0
    clip = found_clip(clips, args.name)
    if args.action == "show":
        print(f"name: {clip.name}\nseconds: {clip.seconds:.2f}\ntags: {', '.join(clip.tags)}")
        print(f"license: {clip.license or 'not said'}\nmotion: {clip.path}")
        print(f"preview: {clip.preview or 'none'}\nsound: {clip.sound or 'none'}")
        return 0
    from ..library.saving import export_clip

    out = _given(args.out, "--out", "name a .safetensors file")
    print(*export_clip(clip, out), sep="\n")
    return 0


def _add(args: Options, console: Console) -> int:
    from ..library.saving import save_clip
    from ..media.sound_file import load_waveform
    from ..pipeline.given_motion import read_motion

    def note(text: str) -> None:
        console.note(f"note: {text}")

    clip = save_clip(
        args.folder,
        args.name,
        read_motion(_given(args.motion, "--motion", "name a motion file"), note=note),
        tags=args.tags,
        license=args.license,
        sound=None if args.audio is None else load_waveform(args.audio),
        overwrite=args.overwrite,
    )
    console.close()
    print(clip.path)
    return 0


def _given(path: Path | None, option: str, fix: str) -> Path:
    if path is None:
        raise InputError("this action needs one more file", where=option, fix=fix)
    return path
