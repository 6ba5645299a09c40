"""The record as an XMP packet, and what any XMP packet says about the origin of a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ..base.limits import XMP_BYTES
from .record import UNKNOWN_ID, Record

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP = "http://ns.adobe.com/xap/1.0/"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
MMGT = "urn:comfyui-mmgt:marks:1.0/"
HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
TAIL = '<?xpacket end="r"?>'


@dataclass(frozen=True)
class Said:
    """What a packet says; None where it says nothing.

    Attributes:
        source: the digital source type, as written.
        tool: the program that is named as the creator.
        aigc: the value of the field AIGC, as written.
        content_id, consent: ours alone.
        details: ours alone.
    """

    source: str | None = None
    tool: str | None = None
    aigc: str | None = None
    content_id: str | None = None
    consent: str | None = None
    details: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        """Whether the packet has the form of those that this software writes."""
        return self.content_id is not None


def packet(record: Record, content_id: str = UNKNOWN_ID) -> bytes:
    """The XMP packet of a record, UTF-8, read-only and without padding."""
    values = [
        ("Iptc4xmpExt:DigitalSourceType", record.source_uri),
        ("Iptc4xmpExt:AISystemUsed", record.tool.partition(" ")[0]),
        ("Iptc4xmpExt:AISystemVersionUsed", record.tool.partition(" ")[2]),
        ("xmp:CreatorTool", record.tool),
        ("TC260:AIGC", record.aigc(content_id)),
        ("mmgt:ContentID", content_id),
    ]
    if record.consent is not None:
        values.append(("mmgt:Consent", record.consent))
    if record.details:
        values.append(("mmgt:Details", json.dumps(dict(record.details), sort_keys=True)))
    lines = "\n".join(f"   <{name}>{escape(value)}</{name}>" for name, value in values)
    spaces = " ".join(
        f'xmlns:{prefix}="{uri}"'
        for prefix, uri in (("Iptc4xmpExt", IPTC), ("xmp", XMP), ("TC260", TC260), ("mmgt", MMGT))
    )
    text = (
        f'{HEAD}\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n <rdf:RDF xmlns:rdf="{RDF}">\n'
        f'  <rdf:Description rdf:about="" {spaces}>\n{lines}\n  </rdf:Description>\n'
        f" </rdf:RDF>\n</x:xmpmeta>\n{TAIL}"
    )
    return text.encode()


def parse_packet(data: bytes) -> Said | None:
    """What an XMP packet of an untrusted file says; None where it is none that can be read.

    Document types and entities, which XMP does not have, are refused before the parser sees them.
    """
    if len(data) > XMP_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return None
    text = data.strip(b"\0 \r\n\t").decode("utf-8", "replace").lstrip("\ufeff")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError):
        return None
    found: dict[str, str] = {}
    for node in root.iter(f"{{{RDF}}}Description"):
        found.update({name: value for name, value in node.attrib.items() if value})
        found.update({child.tag: "".join(child.itertext()).strip() for child in node})
    details = _details(found.get(f"{{{MMGT}}}Details"))
    return Said(
        source=found.get(f"{{{IPTC}}}DigitalSourceType"),
        tool=found.get(f"{{{XMP}}}CreatorTool"),
        aigc=found.get(f"{{{TC260}}}AIGC"),
        content_id=found.get(f"{{{MMGT}}}ContentID"),
        consent=found.get(f"{{{MMGT}}}Consent"),
        details=details,
    )


def _details(text: str | None) -> dict[str, str]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
