"""Sizes of files and memory as people read them."""

from __future__ import annotations

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def readable_size(size: float) -> str:
    """Bytes with two or three digits: "1.5 GB", "335 MB", "12 kB"."""
    unit, name = next((pair for pair in UNITS if size >= pair[0]), UNITS[-1])
    value = size / unit
    return f"{value:.1f} {name}" if value < 10 else f"{value:.0f} {name}"
