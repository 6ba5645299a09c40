"""What a run writes into its files about their origin: the options, and how they act."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.files import existing_file
from ..base.notes import Note, unnoted
from ..marks.credentials import Credentials, credentials_for_tests, load_credentials
from ..marks.record import Record, Source

WITHOUT_MARKS = "the files carry no marks that say they are generated (--no-marks)"
NUMBERS = 2**16  # that a watermark can carry


@dataclass(frozen=True)
class MarkSettings:
    """Marks of origin; see docs/marks.md."""

    marks: bool = True
    """Write into the files that they are generated (IPTC, AIGC, generator). Many laws require it."""
    mark_details: bool = False
    """Also write the settings, and the SHA-256 of the inputs and models; never names or paths."""
    producer: str | None = None
    """Provider of the service in the field AIGC, a name or a code. None = the generator's name."""
    consent: str | None = None
    """A reference to the consent of the person shown, such as a contract number, for the marks."""
    watermark: int | None = None
    """Hide this number, 0 to 65535, invisibly in the frames; it survives re-encoding."""
    visible_label: bool = False
    """Show "AI-generated" in the lower right corner."""
    certificate: Path | None = None
    """Sign the video with C2PA: PEM file with this certificate and its chain."""
    certificate_key: Path | None = None
    """Private key of the certificate (PEM)."""
    test_signature: bool = False
    """Sign with C2PA and a certificate made on the spot. Readers say that it is not trusted."""

    def check(self, out: Path) -> None:
        """Raise InputError for options that contradict each other, DependencyError for a missing library."""
        if self.watermark is not None and not 0 <= self.watermark < NUMBERS:
            raise InputError(f"not a number from 0 to {NUMBERS - 1}", where="watermark")
        if (self.certificate is None) != (self.certificate_key is None):
            raise InputError(
                "a certificate and its key belong together", where="certificate", fix="give both"
            )
        if self.signs:
            from ..marks.signing import check_signable

            if not self.marks:
                raise InputError("a signature is a mark", where="certificate", fix="leave out --no-marks")
            check_signable(out)
            self.credentials()

    @property
    def signs(self) -> bool:
        """Whether the video is to be signed."""
        return self.certificate is not None or self.test_signature

    def credentials(self) -> Credentials:
        """What signs; raises InputError for files that cannot be used."""
        if self.certificate is not None and self.certificate_key is not None:
            return load_credentials(self.certificate, self.certificate_key)
        return credentials_for_tests()

    def record(self, source: Source, details: Mapping[str, str] | None = None) -> Record | None:
        """What the files say, None for nothing; details only where they are wanted."""
        if not self.marks:
            return None
        return Record(source, self.producer, self.consent, (details or {}) if self.mark_details else {})

    def framed(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """The frames, uint8 (n, height, width, 3), with the watermark and the label that are wanted."""
        if self.visible_label:
            from ..marks.label import labeled

            frames = labeled(frames)
        if self.watermark is not None:
            from ..marks.watermark.embed import watermarked

            frames = watermarked(frames, self.watermark)
        return iter(frames)


def run_details(settings: Mapping[str, Any], files: Mapping[str, Path | None]) -> dict[str, str]:
    """The details of a run: settings without paths, and the SHA-256 of its files.

    Args:
        settings: dataclasses by name.
        files: by what they are ("portrait"); folders and missing ones are left out.
    """
    from ..base.tensor_file import file_sha256

    values = {name: _plain(dataclasses.asdict(group)) for name, group in settings.items()}
    hashes = {
        f"{name} SHA-256": file_sha256(path)
        for name, path in files.items()
        if path is not None and path.is_file()
    }
    return {"settings": json.dumps(values, sort_keys=True), **hashes}


def sign_video(
    path: Path, settings: MarkSettings, record: Record, files: Mapping[str, Path | None], note: Note = unnoted
) -> None:
    """Sign a finished video in its place, with the ingredients that are given by title."""
    from ..marks.signing import sign_file

    given = {name: existing_file(file, f"the {name}") for name, file in files.items() if file is not None}
    sign_file(path, record, settings.credentials(), given, note)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if value is None or isinstance(value, bool | int | float | str | tuple)
    }
