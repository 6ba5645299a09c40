"""What is said about a generated file, before any file format: source, generator, label, consent, details."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .. import __version__
from ..base.errors import InputError
from ..base.limits import MARK_TEXT

Source = Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia"]
"""IPTC's terms: made by a trained model; that with other media, such as a portrait; drawn by rules."""

TRAINED: Source = "trainedAlgorithmicMedia"
COMPOSITE: Source = "compositeWithTrainedAlgorithmicMedia"
DRAWN: Source = "algorithmicMedia"
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATOR = "ComfyUI-MMGT"
GENERATED = "1"  # GB 45438-2025, Label: 1 generated, 2 possibly generated, 3 suspected
UNKNOWN_ID = "0" * 32  # stands in a file for the id of content that is not complete yet
ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Record:
    """What a file says. It never holds names of people or files unless the user writes one into it.

    Attributes:
        source: one of IPTC's digital source types.
        producer: who provides the service, as GB 45438-2025 wants it: a name or a code. None = the generator.
        consent: a reference to the consent of the person shown, such as a contract number.
        details: further texts, such as settings and hashes of inputs; empty unless requested.

    Raises InputError for texts that are too long or contain control characters.
    """

    source: Source = TRAINED
    producer: str | None = None
    consent: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("producer", "consent"):
            value = getattr(self, name)
            if value is not None:
                checked_text(value, name)

    @property
    def source_uri(self) -> str:
        """The source type as IPTC's controlled vocabulary writes it."""
        return VOCABULARY + self.source

    @property
    def tool(self) -> str:
        """Generator and version: "ComfyUI-MMGT 0.1.0"."""
        return f"{GENERATOR} {__version__}"

    def aigc(self, content_id: str = UNKNOWN_ID) -> str:
        """The value of the field `AIGC`, GB 45438-2025, Appendix E: a JSON object of seven texts.

        Args:
            content_id: 32 hexadecimal digits that belong to this content alone.
        """
        fields = {
            "Label": GENERATED,
            "ContentProducer": self.producer or GENERATOR,
            "ProduceID": content_id,
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }
        return json.dumps(fields, separators=(",", ":"))

    def tags(self, content_id: str = UNKNOWN_ID) -> dict[str, str]:
        """The same as tags of a video container."""
        said = f"AI-generated with {self.tool}"
        return {"AIGC": self.aigc(content_id), "DigitalSourceType": self.source_uri, "comment": said}


def checked_text(text: object, where: str) -> str:
    """The text, if it is one of 1 to 200 printable characters; raises InputError, which names `where`."""
    if isinstance(text, str) and 0 < len(text) <= MARK_TEXT and text.isprintable():
        return text
    raise InputError(
        f"not a text of 1 to {MARK_TEXT} printable characters", where=where, fix="write a shorter reference"
    )
