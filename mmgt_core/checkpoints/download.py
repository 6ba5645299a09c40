"""Fetching published files from Hugging Face. This file and the queue client alone may use the network.

It runs when a person asks for it, never at import and never while a workflow runs.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from ..base.errors import CheckpointError, DependencyError, MMGTError
from ..base.progress import Progress, silent
from ..base.tensor_file import file_sha256
from .folders import State, look_for
from .registry import KnownFile

SECONDS = 5.0  # to find out whether the server can be reached at all
STAGING = ".mmgt-download"  # beside the target, so that the last step is one rename; kept for resuming


def download(file: KnownFile, folder: str | os.PathLike[str], progress: Progress = silent) -> Path:
    """Fetch a file into `folder` (laid out like ComfyUI's `models`), verify it, move it into place.

    An interrupted download continues where it stopped. HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and
    proxies are huggingface_hub's. `progress` follows the verification; huggingface_hub shows its own
    bar while it fetches.

    Returns:
        The file's path; at once when the right one is there already.

    Raises:
        MMGTError: no network, no such file, no permission, no space, or not the published content.
    """
    target = Path(folder) / file.folder / file.file
    found = look_for(file, [Path(folder)], hashes=True, progress=progress)
    if found.state is State.PRESENT and found.path == target:
        return target
    hub = _hub()
    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    _reach(hub, endpoint, file)
    staging = target.parent / STAGING / file.name
    staging.mkdir(parents=True, exist_ok=True)
    fetched = _fetch(hub, file, staging, endpoint)
    _verify(file, fetched, staging, progress)
    os.replace(fetched, target)
    shutil.rmtree(staging, ignore_errors=True)
    if not any(staging.parent.iterdir()):
        staging.parent.rmdir()
    return target


def _hub() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as error:
        raise DependencyError(
            "downloading needs the library huggingface_hub", fix="pip install huggingface_hub"
        ) from error
    return huggingface_hub


def _reach(hub: Any, endpoint: str, file: KnownFile) -> None:
    """One short question to the server: the library itself would ask for half a minute before it gives up."""
    if hub.constants.HF_HUB_OFFLINE:
        raise _no_network(file, endpoint, "HF_HUB_OFFLINE is set")
    try:
        hub.utils.get_session().head(endpoint, timeout=SECONDS)
    except Exception as error:  # which library carries the request changes with huggingface_hub's version
        raise _no_network(file, endpoint, "no connection") from error


def _no_network(file: KnownFile, endpoint: str, why: str) -> MMGTError:
    return MMGTError(
        f"{endpoint} cannot be reached ({why})",
        fix=f"go online, or fetch {file.path} from {file.page} elsewhere and put it as {file.file} into "
        f"models/{file.folder}",
    )


def _fetch(hub: Any, file: KnownFile, staging: Path, endpoint: str) -> Path:
    errors = hub.errors
    try:
        return Path(hub.hf_hub_download(file.repository, file.path, local_dir=staging, endpoint=endpoint))
    except errors.GatedRepoError as error:
        raise MMGTError(
            f"{file.repository} gives its files only to those who accepted its terms",
            fix=f"accept them at {file.page} and set HF_TOKEN",
        ) from error
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise _no_network(file, endpoint, "the connection broke; what came is kept") from error
        raise MMGTError(
            f"{file.repository} has no {file.path} (any more)", fix=f"look for it at {file.page}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise MMGTError(
            f"there is no repository {file.repository}, or it is private",
            fix=f"look at {file.page}; for a private one set HF_TOKEN",
        ) from error
    except OSError as error:
        raise MMGTError(
            f"{file.path} did not come whole ({error})", fix="run the same command again: it continues"
        ) from error


def _verify(file: KnownFile, fetched: Path, staging: Path, progress: Progress) -> None:
    size = fetched.stat().st_size
    wrong = f"{size} bytes instead of {file.size}" if file.size not in (None, size) else ""
    if not wrong and file.sha256 is not None:
        digest = file_sha256(fetched, progress)
        wrong = "" if digest == file.sha256 else f"SHA-256 {digest} instead of {file.sha256}"
    if wrong:
        shutil.rmtree(staging, ignore_errors=True)
        raise CheckpointError(
            f"what came is not the published file: {wrong}; it was thrown away",
            where=f"{file.repository}/{file.path}",
            fix="try again; if it stays so, the file has been replaced, and this version does not know it",
        )
