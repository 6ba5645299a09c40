"""`mmgt sign`: a C2PA signature in a file that this software made, such as one that ComfyUI saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tyro.conf import Positional

from ..base.errors import InputError
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    file: Positional[Path]
    """Video or image with marks of this software; it is signed in its place."""
    portrait: Path | None = None
    """The portrait, as an ingredient; a manifest that it carries is kept, its name is not."""
    sound: Path | None = None
    """The recording, likewise."""
    certificate: Path | None = None
    """PEM file with the certificate and its chain."""
    certificate_key: Path | None = None
    """Private key of the certificate (PEM)."""
    test_signature: bool = False
    """Sign with a certificate made on the spot. Readers say that it is not trusted."""


def run(options: Options, console: Console) -> int:
    """Sign the file; its name goes to stdout."""
    from ..inspection.file_marks import read_marks
    from ..marks.record import Record, Source
    from ..pipeline.marking import MarkSettings, sign_video

    marks = read_marks(options.file)
    source = (marks.source or "").rpartition("/")[2]
    if marks.content_id is None or source not in get_args(Source):
        raise InputError(
            "it carries no marks of this software, whose content the signature would repeat",
            where=options.file,
            fix="sign what mmgt generate or MMGT Decode Video wrote, with its marks",
        )
    settings = MarkSettings(
        certificate=options.certificate,
        certificate_key=options.certificate_key,
        test_signature=options.test_signature,
    )
    if not settings.signs:
        raise InputError(
            "there is nothing to sign with",
            where="certificate",
            fix="give --certificate and --certificate-key, or --test-signature",
        )
    settings.check(options.file)
    said = marks.said
    record = Record(
        source,  # type: ignore[arg-type]
        consent=None if said is None else said.consent,
        details={} if said is None else said.details,
    )
    ingredients = {"portrait": options.portrait, "sound": options.sound}
    sign_video(options.file, settings, record, ingredients, lambda text: console.note(f"note: {text}"))
    print(options.file)
    return 0
