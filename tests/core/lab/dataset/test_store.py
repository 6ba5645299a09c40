"""Data sets at an address: shards come into a cache, are checked, and leave it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fsspec")
pytest.importorskip("webdataset")

from mmgt_core.base.errors import InputError
from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.dataset.store import RemoteStore, store_of

from .made_up import make

ADDRESS = "memory://bucket/data"


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The address of a data set of several shards, and the same as a folder."""
    import fsspec

    folder = tmp_path / "data"
    make(folder, shard_bytes=1)
    memory = fsspec.filesystem("memory")
    memory.put(str(folder), "/bucket/data", recursive=True)
    monkeypatch.setenv("MMGT_DATA_CACHE", str(tmp_path / "cache"))
    yield memory, PreparedData.open(folder), tmp_path / "cache"
    memory.rm("/bucket", recursive=True)


def cached(cache: Path) -> list[str]:
    return sorted(file.name for file in cache.rglob("*.tar"))


def test_an_address_reads_as_the_folder(remote) -> None:
    _, local, cache = remote
    data = PreparedData.open(ADDRESS)
    assert data.index == local.index and cached(cache) == []
    for shard in data.index.shards:
        for ours, theirs in zip(data.read(shard), local.read(shard), strict=True):
            assert ours.info == theirs.info and np.array_equal(ours.motion, theirs.motion)
    assert len(cached(cache)) == len(data.index.shards)


def test_the_cache_keeps_its_limit_and_the_newest(remote) -> None:
    _, local, cache = remote
    store = replace(RemoteStore.at(ADDRESS), limit=2 * max(shard.bytes for shard in local.index.shards))
    shards = local.index.shards
    assert len(shards) >= 4
    for shard in shards[:3]:
        store.path(shard)
    assert cached(cache) == sorted(shard.name for shard in shards[1:3])
    assert store.path(shards[0]).stat().st_size == shards[0].bytes  # comes again


def test_a_shard_that_changed_on_the_way_is_refused(remote) -> None:
    memory, local, cache = remote
    shard = local.index.shards[0]
    path = f"/bucket/data/shards/{shard.name}"
    content = bytearray(memory.cat(path))
    content[600] ^= 1
    memory.pipe(path, bytes(content))
    with pytest.raises(InputError, match="SHA-256"):
        store_of(ADDRESS).path(shard)
    assert cached(cache) == []


def test_an_address_without_data_is_named(remote) -> None:
    with pytest.raises(InputError, match=r"memory://bucket/nothing.*dataset\.json cannot be read"):
        PreparedData.open("memory://bucket/nothing")
