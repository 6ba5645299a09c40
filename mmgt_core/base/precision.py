"""Names of floating-point precisions, apart from torch so that a command line loads none of it."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "fp32", "fp16", "bf16"]
"""`auto` is fp16 on a GPU and fp32 on a CPU."""
