"""Checks the C2PA manifest of a file, without any connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..base.errors import DependencyError
from ..marks.credentials import TEST_NAME
from ..marks.signing import context, library

State = Literal["trusted", "valid", "invalid", "unreadable", "not checked"]
"""Signed by a trusted authority and unchanged; unchanged; changed or damaged; no manifest that can be read;
the library is not installed."""


@dataclass(frozen=True)
class Signature:
    """What a manifest says and whether it holds.

    Attributes:
        state: see `State`.
        signer: the name in the certificate.
        test: whether the certificate is one of those that this software makes on the spot.
        source: the digital source type of the first action that has one.
        ingredients: their titles.
        failures: codes of the checks that failed, without the missing trust.
        said: consent and details of a manifest of ours.
    """

    state: State
    signer: str | None = None
    test: bool = False
    source: str | None = None
    ingredients: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    said: dict[str, str] | None = None


def check_signature(path: Path) -> Signature:
    """Check the manifest of a file that has one."""
    try:
        c2pa = library()
    except DependencyError:
        return Signature("not checked")
    try:
        with path.open("rb") as file, c2pa.Reader(None, file, None, context(c2pa)) as reader:
            store, state = json.loads(reader.json()), reader.get_validation_state()
    except (c2pa.C2paError, ValueError):
        return Signature("unreadable")
    active = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signed = active.get("signature_info") or {}
    name = signed.get("common_name") or signed.get("issuer")
    return Signature(
        state={"Trusted": "trusted", "Valid": "valid"}.get(str(state), "invalid"),  # type: ignore[arg-type]
        signer=name,
        test=TEST_NAME in str(name),
        source=_source(active),
        ingredients=tuple(str(item.get("title", "?")) for item in active.get("ingredients", ())),
        failures=_failures(store),
        said=_said(active),
    )


def _source(active: dict[str, Any]) -> str | None:
    for assertion in active.get("assertions", ()):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            for action in assertion.get("data", {}).get("actions", ()):
                if "digitalSourceType" in action:
                    return str(action["digitalSourceType"])
    return None


def _failures(store: dict[str, Any]) -> tuple[str, ...]:
    results = store.get("validation_results", {}).get("activeManifest", {})
    codes = {str(item.get("code")) for item in results.get("failure", ())}
    return tuple(sorted(codes - {"signingCredential.untrusted"}))


def _said(active: dict[str, Any]) -> dict[str, str] | None:
    from ..marks.signing import RECORD_LABEL

    for assertion in active.get("assertions", ()):
        if assertion.get("label") == RECORD_LABEL and isinstance(assertion.get("data"), dict):
            return {str(key): str(value) for key, value in assertion["data"].items()}
    return None
