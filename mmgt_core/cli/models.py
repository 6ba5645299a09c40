"""`mmgt models`: which of the published files are there, which are missing, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import UseAppendAction

from ..base.sizes import readable_size
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    models_dir: UseAppendAction[tuple[Path, ...]] = ()
    """A folder laid out like ComfyUI's models; may be repeated. None given = those of the environment
    variable MMGT_MODELS, else the ComfyUI that contains this pack, else ./models.
    """
    verify: bool = False
    """Read the files and compare their SHA-256 where it is known."""


def run(args: Options, console: Console) -> int:
    from ..checkpoints.folders import State, look_for, model_folders
    from ..checkpoints.registry import REGISTRY
    from ..checkpoints.speaker_files import speaker_files

    folders = model_folders(args.models_dir)
    print(f"looking in {', '.join(map(str, folders))}")
    wrong = 0
    for file in REGISTRY:
        found = look_for(file, folders, hashes=args.verify, progress=console.stage(f"verifying {file.name}"))
        console.close()
        wrong += found.state is State.WRONG
        state = found.state.value + (" (not needed)" if file.optional and found.path is None else "")
        print(f"\n{file.name}: {state}{': ' + found.remark if found.remark else ''}")
        print(f"  {file.title}, for {file.needed_by}")
        print(f"  {found.path or Path('models') / file.folder / file.file}")
        if found.path is None:
            known = "size unknown" if file.size is None else readable_size(file.size)
            print(f"  from {file.page} ({file.path}), {known}; license: {file.license}")
    for path in speaker_files(folders):
        print(f"\nspeaker adapter of `mmgt train speaker` ({readable_size(path.stat().st_size)})\n  {path}")
    print("\n`mmgt download NAME` fetches one; `mmgt convert` makes safetensors of a .pth, .pt or .ckpt.")
    return 1 if wrong else 0
