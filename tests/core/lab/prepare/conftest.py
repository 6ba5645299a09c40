"""Runs of `mmgt prepare` on small videos."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from mmgt_core.lab.dataset.reader import PreparedData
from mmgt_core.lab.prepare.run import prepare
from mmgt_core.lab.prepare.settings import ClipSettings, SetSettings

pytest.importorskip("webdataset")
CLIPS = ClipSettings(size=64)


@pytest.fixture
def run(tmp_path):
    """Prepare folders or tables into tmp_path/data; keywords go to the settings they belong to."""

    def call(*given, out=None, quality=None, videos=None, stage=None, clips=CLIPS, **dataset):
        clips = replace(clips, quality=replace(clips.quality, **quality)) if quality else clips
        more = {"stage": stage} if stage else {}
        out = out or tmp_path / "data"
        index, summary = prepare(given, out, clips, SetSettings(**dataset), videos=videos, **more)
        return PreparedData.open(out), summary

    return call


def rejected(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]


def content(folder: Path, but: tuple[str, ...] = ("lock", "prepare.json")) -> dict[str, str]:
    """Relative path -> hash of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
    }


def all_clips(data, entries=()):
    return [
        clip
        for split in ("train", "validation")
        for shard in data.shards(split)
        for clip in data.read(shard, entries)
    ]
