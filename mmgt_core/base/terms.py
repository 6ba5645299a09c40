"""What videos must not be used for, shown once to each user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TERMS = (
    "Do not make videos of real people without their informed consent, and do not use them to impersonate, "
    "mislead, harass or defraud. The files say that they are generated; say so too where you show them. "
    "More: README, Limits and consent. (This is shown once.)"
)
SHOWN = "terms_shown"


def user_state() -> Path:
    """The folder for what programs remember of this user; it may not exist."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


def first_time(folder: Path) -> bool:
    """Whether nothing was shown to the users of this folder yet; from then on it was.

    A folder that cannot be written remembers nothing: the terms are then shown each time.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(folder / SHOWN, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
