"""Names of presets and quality modes: sets of defaults for both stages (docs/presets.md, docs/quality.md)."""

from __future__ import annotations

from typing import Literal

Preset = Literal["recommended", "official"]
"""`recommended` suits most clips; `official` makes every choice as the authors' inference script does."""
Quality = Literal["exact", "fast", "draft"]
"""`exact` takes all steps of the preset or the model; `fast` and `draft` take fewer (docs/quality.md)."""
