"""The known model files: which are there, whether they are the published ones, whether they load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import MMGTError
from ..base.progress import Progress, silent
from ..base.sizes import readable_size
from ..checkpoints.folders import Found, State, look_for
from ..checkpoints.registry import REGISTRY
from ..checkpoints.speaker_files import speaker_files
from .findings import Finding
from .renderer import Host

if TYPE_CHECKING:
    from ..video.config import VideoConfig

SECTION = "Model files"


def files(
    folders: Sequence[Path],
    *,
    hashes: bool = False,
    progress: Progress = silent,
    check_video: Callable[[Path], VideoConfig] | None = None,
) -> tuple[list[Finding], dict[str, Path]]:
    """A line for each known file, and the paths of those that can be used, by name.

    Args:
        folders: laid out like ComfyUI's `models`.
        hashes: compare SHA-256 where it is known; reads every file.
        check_video: see `renderer.Host`.
    """
    loaders: dict[str, Callable[[Path], str]] = {
        "motion": _motion,
        "video": lambda path: _video((check_video or Host().check_video)(path)),
        "person-detector": _onnx,
        "pose-detector": _onnx,
    }
    found: list[Finding] = []
    usable: dict[str, Path] = {}
    for index, file in enumerate(REGISTRY):
        state = look_for(file, folders, hashes=hashes)
        finding = _finding(state, loaders.get(file.name))
        found.append(finding)
        if state.path is not None and finding.verdict == "ok":
            usable[file.name] = state.path
        progress(index + 1, len(REGISTRY))
    return [*found, *map(_speaker, speaker_files(folders))], usable


def _finding(found: Found, load: Callable[[Path], str] | None) -> Finding:
    file = found.file
    if found.path is None:
        return Finding(SECTION, file.name, "missing", "", f"{file.file} in models/{file.folder}")
    size = readable_size(found.path.stat().st_size)
    value = f"{found.path.name}, {size}"
    if found.state is State.WRONG:
        return Finding(SECTION, file.name, value, "fault", found.remark)
    try:
        loaded = load(found.path) if load is not None else ""
    except MMGTError as error:
        return Finding(SECTION, file.name, value, "fault", _without_folders(error, found.path))
    return Finding(SECTION, file.name, f"{value}{loaded}", "ok", "loads strictly" if loaded else "present")


def _speaker(path: Path) -> Finding:
    """A speaker adapter, without its name, which may be a person's."""
    from ..checkpoints.speaker_adapter import TITLES, read_speaker_adapter

    size = readable_size(path.stat().st_size)
    try:
        stages = read_speaker_adapter(path).stages
    except MMGTError as error:
        return Finding(SECTION, "speaker adapter", size, "fault", error.what)
    named = " and ".join(TITLES[stage] for stage in stages) or "no stage"
    return Finding(SECTION, "speaker adapter", f"{size}, for {named}", "ok", "loads strictly")


def _motion(path: Path) -> str:
    from ..checkpoints.smga import load_smga

    config = load_smga(path).config
    return f", {config.layers} layers of width {config.width}, {config.audio_channels} audio channels"


def _video(config: VideoConfig) -> str:
    return f", widths {config.block_channels}, {config.audio_features}, {config.size} px"


def _onnx(path: Path) -> str:
    from ..pose.onnx_network import OnnxNetwork

    return f", runs on {OnnxNetwork(path, 'its page').provider}"


def _without_folders(error: MMGTError, path: Path) -> str:
    return str(error).replace(str(path), path.name)
