"""Videos go into their place once, whoever dies in between.

Before a video is moved into place a receipt is written: which job it belongs to, and the SHA-256 of its
content. Whoever runs that job next, after a crash of the worker or of the driver, finds the receipt, sees
that the file is just that video, and does not make it again. The driver removes the receipt once the job is
in its journal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from ..base.errors import InputError
from ..base.tensor_file import file_sha256
from .storage import Place, is_address, place


class Results:
    """The results of a run in a folder, which is a path or an fsspec address.

    Args:
        folder: name of the folder within it for receipts and unfinished files.
    """

    def __init__(self, root: str, folder: str):
        self._root, self._folder, self._on_disk = root, folder, not is_address(root)
        self.place: Place = place(root, folder)

    def check(self) -> None:
        """Write a small file and remove it.

        Raises InputError when results cannot be written, before anything is computed for them.
        """
        name = self._receipt("writable")
        try:
            self.place.write(name, b"{}")
            self.place.remove(name)
        except OSError as error:
            raise InputError(
                f"results cannot be written there ({' '.join(str(error).split())[:200]})",
                where=self._root,
                fix="check the address, the credentials and the free space",
            ) from error

    def still_there(self, file: str) -> bool:
        """Whether a video that was made before exists; object stores are not asked a million times."""
        return not self._on_disk or self.place.size(file) is not None

    def finished(self, file: str, key: bytes) -> bool:
        """Whether an earlier try has put just this video into its place."""
        receipt = self.place.read(self._receipt(file))
        if receipt is None:
            return False
        try:
            fields = json.loads(receipt)
            wanted = fields["sha256"] if fields["key"] == key.hex() else None
        except (ValueError, KeyError, TypeError):
            return False
        video = self.place.read(file) if wanted is not None else None
        return video is not None and hashlib.sha256(video).hexdigest() == wanted

    def publish(self, video: Path, file: str, key: bytes) -> None:
        """Move a finished video of this machine into its place, unless another try was faster."""
        if not self.finished(file, key):
            fields = {"key": key.hex(), "sha256": file_sha256(video)}
            self.place.write(self._receipt(file), json.dumps(fields).encode())
            self.place.take(video, file)

    def noted(self, file: str) -> None:
        """The job is in the journal: its receipt is no longer needed, and does no harm if it stays."""
        with contextlib.suppress(OSError):
            self.place.remove(self._receipt(file))

    def clear(self) -> None:
        """Remove what is unfinished, also of tries that were killed; only when no worker runs."""
        with contextlib.suppress(OSError):
            self.place.remove(self._folder)

    def _receipt(self, file: str) -> str:
        return f"{self._folder}/{file}.json"
