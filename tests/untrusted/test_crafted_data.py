"""Shards and tables that were made to hurt: lies about sizes, links, other kinds of arrays, endless lines."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from .rule import attempt, bounded_memory
from .samples import DOORS


def members(path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(path) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]


def rewritten(samples, path: Path, change) -> Path:
    """The sample shard with `change(info, data) -> (info, data) or None` applied to each member."""
    with tarfile.open(path, "w") as tar:
        for info, data in members(samples["shard.tar"]):
            changed = change(info, data)
            if changed is not None:
                info, data = changed
                info.size = len(data) if info.isreg() else 0
                tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return path


def with_array(array: np.ndarray, name: str = "motion.npy"):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return lambda info, data: (info, stream.getvalue() if info.name.endswith(name) else data)


def link(info, data):
    if info.name.endswith("motion.npy"):
        info.type, info.linkname = tarfile.SYMTYPE, "../../secret"
    return info, data


def renamed(info, data):
    info.name = f"../../{info.name}"
    return info, data


def lengthened(info, data):
    if info.name.endswith(".json"):
        data = data.replace(b'"frames": 8', b'"frames": 888888888')
    return info, data


SHARDS = {
    "objects in place of numbers": with_array(np.array([[{}]], object)),
    "complex numbers": with_array(np.zeros((80, 134, 3), np.complex64)),
    "no frames": with_array(np.zeros((0, 134, 3), np.float32)),
    "not finite": with_array(np.full((80, 134, 3), np.nan, np.float32)),
    "a link": link,
    "names that lead elsewhere": renamed,
    "a description of more frames": lengthened,
    "a description that is none": lambda i, d: (i, b"[]" if i.name.endswith(".json") else d),
    "a description of nested lists": lambda i, d: (i, b"[" * 99_999 if i.name.endswith(".json") else d),
    "nothing but descriptions": lambda i, d: (i, d) if i.name.endswith(".json") else None,
    "no descriptions": lambda i, d: None if i.name.endswith(".json") else (i, d),
}


@pytest.mark.parametrize("name", SHARDS)
def test_a_shard_that_lies_is_refused(samples, tmp_path, name):
    path = rewritten(samples, tmp_path / "shard.tar", SHARDS[name])
    door = DOORS["shard.tar"]
    with bounded_memory(200 * 2**20):
        assert attempt("crafted shard", lambda: door.read(path), door.usable, path)


def test_a_member_of_exabytes_is_refused_at_once(tmp_path):
    for size in (2**33, 2**60):
        info = tarfile.TarInfo("000000000000-000.json")
        info.size = size
        path = tmp_path / "shard.tar"
        path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"{}" * 512)
        door = DOORS["shard.tar"]
        with bounded_memory(100 * 2**20):
            assert attempt("crafted shard", lambda door=door, path=path: door.read(path), door.usable, path)


TABLES = {
    "a line without end": b"file\n" + b"x" * 2**20,
    "many columns": b",".join(b"c%d" % n for n in range(10_000)) + b"\n1\n",
    "null bytes": b"file,start\na\0b.mp4,1\n",
    "Latin-1": "file,speaker\na.mp4,J\u00f6rg\n".encode("latin-1"),
    "a time of ages": b"file,start,end\na.mp4,1e308,1e309\n",
    "a clock of letters": b"file,start\na.mp4,aa:bb:cc\n",
    "a file without a name": b"file,speaker\n,anna\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_makes_no_sense_is_refused(tmp_path, name):
    path = tmp_path / "table.csv"
    path.write_bytes(TABLES[name])
    door = DOORS["table.csv"]
    assert attempt("crafted table", lambda: door.read(path), door.usable, path)
