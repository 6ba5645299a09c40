"""Where the shards of a data set are: a folder, or an address such as s3://bucket/data with a cache."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...base.atomic_files import atomic_write
from ...base.errors import DependencyError, InputError
from ...base.full_disk import explain_full_disk
from ...base.tensor_file import file_sha256
from ...base.user_cache import user_cache
from .index import ShardInfo
from .layout import INDEX, SHARDS

ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]+://")
CACHE, CACHE_GB = "MMGT_DATA_CACHE", "MMGT_DATA_CACHE_GB"
USUAL_GB = 200.0
BLOCK = 2**24
AGAIN = "prepare the data again, or copy this file again"


class ShardStore(Protocol):
    """Gives shards as files on this machine."""

    def index(self) -> Path:
        """The folder that holds dataset.json."""
        ...

    def path(self, shard: ShardInfo) -> Path:
        """The shard's file; its size is that of the index."""
        ...


@dataclass(frozen=True)
class FolderStore:
    """A folder on this machine, or one that is mounted."""

    folder: Path

    def index(self) -> Path:
        return self.folder

    def path(self, shard: ShardInfo) -> Path:
        file = self.folder / SHARDS / shard.name
        found = file.stat().st_size if file.is_file() else None
        if found != shard.bytes:
            what = "is missing" if found is None else f"has {found} bytes instead of {shard.bytes}"
            raise InputError(f"a shard of the data set {what}", where=file, fix=AGAIN)
        return file


@dataclass(frozen=True)
class RemoteStore:
    """An address that fsspec reads; shards come into a cache folder and leave it, the longest unused first.

    Args:
        address: such as s3://bucket/data or gs://...; access rights are those of fsspec's file system.
        cache: folder of this data set's files; limit: bytes of shards in it, one shard at least.
    """

    address: str
    cache: Path
    limit: int

    @classmethod
    def at(cls, address: str) -> RemoteStore:
        """The store of an address, with the cache that the environment names: MMGT_DATA_CACHE (a
        folder) and MMGT_DATA_CACHE_GB (200).
        """
        chosen = os.environ.get(CACHE)
        name = re.sub(r"[^A-Za-z0-9]+", "-", address).strip("-")[-80:]
        folder = Path(chosen) if chosen else user_cache() / "mmgt" / "data"
        limit = float(os.environ.get(CACHE_GB, USUAL_GB)) * 2**30
        return cls(address.rstrip("/"), folder / name, int(limit))

    def index(self) -> Path:
        self._fetch(INDEX, self.cache / INDEX)  # always the newest
        return self.cache

    def path(self, shard: ShardInfo) -> Path:
        file = self.cache / SHARDS / shard.name
        if not file.is_file() or file.stat().st_size != shard.bytes:
            self._make_room(shard.bytes)
            self._fetch(f"{SHARDS}/{shard.name}", file)
            if file_sha256(file) != shard.sha256:
                file.unlink()
                raise InputError("the shard is damaged: its SHA-256 is another", where=shard.name, fix=AGAIN)
        os.utime(file)  # used now
        return file

    def _fetch(self, name: str, file: Path) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise DependencyError("remote data needs the package fsspec", fix="pip install fsspec") from error
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            opened = fsspec.open(f"{self.address}/{name}", "rb")
            with explain_full_disk(self.cache), opened as source, atomic_write(file) as temporary:
                self._copy(source, temporary)
        except InputError:
            raise
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f"{name} cannot be read ({error})",
                where=self.address,
                fix="check the address and the access rights; some addresses need a package, such as s3fs",
            ) from error

    @staticmethod
    def _copy(source: Any, to: Path) -> None:
        with to.open("wb") as target:
            while block := source.read(BLOCK):
                target.write(block)

    def _make_room(self, needed: int) -> None:
        folder = self.cache / SHARDS
        files = sorted(folder.glob("*.tar"), key=lambda file: file.stat().st_mtime) if folder.is_dir() else []
        total = sum(file.stat().st_size for file in files)
        for file in files:
            if total + needed <= self.limit:
                break
            total -= file.stat().st_size
            file.unlink(missing_ok=True)


def store_of(place: str | os.PathLike[str]) -> ShardStore:
    """The store of a folder or of an address."""
    text = os.fspath(place)
    return RemoteStore.at(text) if ADDRESS.match(text) else FolderStore(Path(text))
