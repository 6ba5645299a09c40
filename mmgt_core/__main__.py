"""`python -m mmgt_core` is the command `mmgt`."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
