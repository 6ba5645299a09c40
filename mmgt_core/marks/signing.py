"""C2PA manifests: what was made, from which ingredients, signed into the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..base.atomic_files import atomic_write
from ..base.errors import DependencyError, InputError
from ..base.notes import Note, unnoted
from .credentials import INSTALL, Credentials
from .record import GENERATOR, Record

FORMATS = {".mp4": "video/mp4", ".mov": "video/quicktime", ".png": "image/png", ".webp": "image/webp",
           ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}  # fmt: skip
INGREDIENTS = FORMATS | {
    ".wav": "audio/wav", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".flac": "audio/flac",
    ".avif": "image/avif", ".heic": "image/heic", ".tif": "image/tiff", ".tiff": "image/tiff",
}  # fmt: skip
RECORD_LABEL = "org.comfyui-mmgt.record"
OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
"""Settings of the library: it opens no connection, and writes no small copies of the portrait."""


def check_signable(path: Path) -> None:
    """Raise InputError for a file format without C2PA, DependencyError without the library."""
    library()
    if path.suffix.lower() not in FORMATS:
        raise InputError("this format carries no C2PA manifest", where=path, fix="end the name in .mp4")


def manifest(record: Record, suffix: str) -> dict[str, Any]:
    """The definition of a manifest, as the C2PA library takes it."""
    agent = {"name": GENERATOR, "version": __version__}
    created = {"action": "c2pa.created", "digitalSourceType": record.source_uri, "softwareAgent": agent}
    assertions: list[dict[str, Any]] = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]
    said = {**record.details, **({} if record.consent is None else {"consent": record.consent})}
    if said:
        assertions.append({"label": RECORD_LABEL, "data": said})
    return {"claim_generator_info": [agent], "format": FORMATS[suffix.lower()], "assertions": assertions}


def sign_file(
    path: Path,
    record: Record,
    credentials: Credentials,
    ingredients: Mapping[str, Path] | None = None,
    note: Note = unnoted,
) -> None:
    """Sign a file in its place: whole, or it stays as it is.

    Args:
        ingredients: by title ("portrait", "sound"); manifests that they carry are kept, names are not.
        note: receives a remark about an ingredient whose format C2PA does not know; it is left out.

    Raises InputError where the library refuses the certificate or the file.
    """
    c2pa = library()
    check_signable(path)
    try:
        info = c2pa.C2paSignerInfo(credentials.algorithm, credentials.chain, credentials.key, None)
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(manifest(record, path.suffix)), context(c2pa)) as builder,
        ):
            for title, file in (ingredients or {}).items():
                kind = INGREDIENTS.get(Path(file).suffix.lower())
                if kind is None:
                    note(f"the C2PA manifest does not name the {title}: its format is not one of C2PA's")
                    continue
                with open(file, "rb") as stream:
                    builder.add_ingredient({"title": title, "relationship": "inputTo"}, kind, stream)
            with (
                atomic_write(path) as temporary,
                path.open("rb") as source,
                open(temporary, "w+b") as target,
            ):
                builder.sign(signer, FORMATS[path.suffix.lower()], source, target)
    except c2pa.C2paError as error:
        raise InputError(
            f"it cannot be signed ({' '.join(str(error).split())[:200]})",
            where=path,
            fix="check that the certificate suits C2PA (docs/marks.md)",
        ) from error


def context(c2pa: Any) -> Any:
    """The library's context, without connections."""
    return c2pa.Context(c2pa.Settings.from_dict(OFFLINE))


def library() -> Any:
    """The module c2pa; raises DependencyError without it."""
    try:
        import c2pa
    except ModuleNotFoundError as error:
        raise DependencyError("C2PA needs the library c2pa-python", fix=INSTALL) from error
    return c2pa
