"""The work folder of MMGTSampler: finished work on disk, so that the same prompt can resume after a crash.

It is in ComfyUI's output folder and is identified by a hash of everything that the latents depend on. The
portrait, the motion, the audio and all settings are hashed by content. Models are too large for that: the
part of the prompt that loads them identifies them, with size and time of the files that it names.
Finished work is kept until another video is finished, so a crash while decoding costs no sampling either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import comfy.model_management as management
import folder_paths
from comfy_api.latest import io
from comfyui_version import __version__ as host_version

from ...mmgt_core.base.errors import InputError, MMGTError
from ...mmgt_core.pipeline.kept_work import work_bytes
from ...mmgt_core.work.cleanup import remove, work_folders
from ...mmgt_core.work.disk import require_space
from ...mmgt_core.work.folder import JOURNAL, WorkFolder, read_journal
from ...mmgt_core.work.key import work_key
from ...mmgt_core.work.steps import StepStore
from .decoding import decoded_size
from .input_files import input_path
from .node_text import show_message
from .resumable import SamplingWork
from .sampling import RESUMABLE, Prepared
from .services import host_fix
from .step_caches import has_step_cache

FOLDER = "mmgt_work"
FINISHED = "finished"
MODELS = ("model", "video_model", "vae", "clip_vision")
"""Inputs identified by the prompt."""
SAME_LATENTS = ("windows_at_once",)
"""Settings that change only the speed (and rounding): a resumed run may change them."""


def work_root() -> Path:
    """The folder of all work folders; `mmgt work list --work-dir` lists them."""
    return Path(folder_paths.get_output_directory()) / FOLDER


@contextmanager
def sampling_work(
    node: type[io.ComfyNode], prepared: Prepared, choices: Mapping[str, Any]
) -> Iterator[SamplingWork | None]:
    """The work of this prompt, including that of an earlier run; None if the sampler cannot resume, or a
    cache of the host's keeps what no work folder holds.

    Args:
        node: the class of the running node, whose hidden inputs contain the prompt.
        choices: all other inputs of the node.

    Raises InputError if the disk has too little space, or if another process renders the same video.
    """
    sampler, total = choices["sampler"], len(prepared.sigmas) - 1
    if sampler not in RESUMABLE:
        show_message(
            f"keep_work has no effect with the sampler {sampler}; use one of {', '.join(RESUMABLE)}."
        )
        yield None
        return
    if has_step_cache(prepared.model):
        show_message("keep_work has no effect with EasyCache and LazyCache, which continue no earlier run.")
        yield None
        return
    key = sampling_key(node.hidden.prompt, str(node.hidden.unique_id), prepared, choices)
    latents = prepared.latent["samples"]
    about = {"node": "MMGTSampler", "frames": str(latents.shape[0]), "seed": str(choices["seed"])}
    with ExitStack() as stack:
        with host_fix("free some disk space, wait for the other run, or turn keep_work off"):
            work = stack.enter_context(WorkFolder.open(work_root(), key, about))
            present = sum(file.stat().st_size for file in work.path.iterdir() if file.is_file())
            needed = work_bytes(prepared.config, latents.shape[0], decoded_size(latents))
            require_space({work.path: max(0, needed - present)})
        kept = SamplingWork(stack.enter_context(closing(StepStore(work))))
        if kept.finished is not None:
            show_message(f"Resuming after step {kept.finished[0]} of {total}, finished by an earlier run.")
        yield kept
        work.note(FINISHED)
        remove_finished(but=work.path)


def sampling_key(
    prompt: Mapping[str, Any] | None, node: str, prepared: Prepared, choices: Mapping[str, Any]
) -> str:
    """A hash of everything that the latents depend on, the same in every process.

    Raises InputError without a prompt, which identifies the models.
    """
    if not prompt or node not in prompt:
        raise InputError(
            "keep_work needs this node in the queued prompt to identify the models; nodes that another node "
            "creates, as loops do, are not in it",
            where="keep_work",
            fix="turn it off, or queue a prompt with MMGT Sampler itself",
        )
    links = prompt[node]["inputs"]
    base = prepared.model.model
    return work_key(
        {
            "host": host_version,
            "device": management.get_torch_device().type,
            "types": [str(base.get_dtype()), str(base.manual_cast_dtype)],
            "models": {name: origin(prompt, links[name]) for name in MODELS if name in links},
            "sigmas": prepared.sigmas,
            "size": list(prepared.latent["samples"].shape),
            "choices": {name: choices[name] for name in choices if name not in (*SAME_LATENTS, *MODELS)},
        }
    )


def origin(prompt: Mapping[str, Any], value: object, known: dict[str, str] | None = None) -> object:
    """The origin of an input: all nodes that lead to it, their settings, and the state of named files."""
    known = {} if known is None else known
    if isinstance(value, str):
        return [value, *file_state(value)]
    if not (isinstance(value, list) and len(value) == 2 and str(value[0]) in prompt):
        return repr(value)
    source = str(value[0])
    if source not in known:
        known[source] = ""  # prevents endless recursion; the host rejects cycles
        entry = prompt[source]
        inputs = {name: origin(prompt, given, known) for name, given in entry["inputs"].items()}
        known[source] = work_key({"class": entry["class_type"], "inputs": inputs})
    return [known[source], value[1]]


def file_state(name: str) -> list[int]:
    """Size and time of every model or input file with this name; empty if there is none."""
    paths = [folder_paths.get_full_path(folder, name) for folder in folder_paths.folder_names_and_paths]
    found = [Path(path) for path in paths if path is not None]
    with suppress(MMGTError):  # most values are not file names
        found.append(input_path(name))
    states = [path.stat() for path in dict.fromkeys(found)]
    return [number for state in states for number in (state.st_size, state.st_mtime_ns)]


def remove_finished(but: Path) -> None:
    """Remove the work of other finished videos; interrupted work is kept."""
    for folder in work_folders(work_root()):
        lines = () if folder.path == but else read_journal(folder.path / JOURNAL, mend=False)
        events = [line["event"] for line in lines if line["event"] != "opened"]
        if events and events[-1] == FINISHED:
            remove(folder)
