"""Names of the presets: sets of defaults for both stages (docs/presets.md)."""

from __future__ import annotations

from typing import Literal

Preset = Literal["recommended", "official"]
"""`recommended` suits most clips; `official` makes every choice as the authors' inference script does."""
