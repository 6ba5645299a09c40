"""Where sources come from: folders, videos, manifests and PATS' table."""

from __future__ import annotations

import hashlib
import json

import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.prepare.manifest import read_table
from mmgt_core.lab.prepare.settings import ClipSettings, QualityFilter, SetSettings
from mmgt_core.lab.prepare.sources import find_sources

from . import films
from .conftest import CLIPS, all_clips, rejected

PATS = "dataset,delta_time,end_time,interval_id,speaker,start_time,video_fn,video_link\n"


@pytest.fixture
def folder(tmp_path):
    for name in (
        "anna/one.mp4",
        "anna/sub/two.MOV",
        "bo/one.mp4",
        "alone.webm",
        ".hidden/x.mp4",
        "anna/notes.txt",
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "in"


def sentence(call, *words):
    with pytest.raises(InputError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text and len(text) < 600 and caught.value.fix
    assert all(word in text for word in words), text


def test_a_folder_gives_its_videos_and_the_speakers_are_the_folders_below(folder):
    found = {source.label: source.intervals[0].speaker for source in find_sources([folder])}
    assert found == {
        "alone.webm": "alone", "anna/one.mp4": "anna", "anna/sub/two.MOV": "anna", "bo/one.mp4": "bo",
    }  # fmt: skip


def test_a_file_that_is_given_twice_is_one_source(folder):
    found = find_sources([folder, folder / "bo" / "one.mp4", folder / "bo"])
    assert sum(source.path.parent.name == "bo" for source in found) == 1
    two = find_sources([folder / "bo", folder / "anna"])
    assert sorted(source.label for source in two) == ["one.mp4", "one.mp4 (2)", "sub/two.MOV"]


def test_a_manifest_as_csv_and_as_jsonl_gives_the_same(folder):
    rows = [
        {"file": "bo/one.mp4", "start": "0:10", "end": "20", "speaker": "Bo", "license": "CC0", "sha256": ""},
        {"file": "bo/one.mp4", "start": "20", "end": "30.5", "speaker": "Bo", "license": "CC0"},
        {"file": "bo/one.mp4", "start": "40", "end": "", "speaker": "Eve"},
        {"file": "gone.mp4"},
    ]
    rows[0]["start"] = "10"
    names = ["file", "start", "end", "speaker", "license", "sha256"]
    table = folder / "table.csv"
    table.write_text("\n".join([",".join(names), *(",".join(row.get(n, "") for n in names) for row in rows)]))
    lines = folder / "table.jsonl"
    lines.write_text("\n".join(map(json.dumps, rows)))
    csv, jsonl = find_sources([table]), find_sources([lines])
    assert csv == jsonl
    one, gone = csv
    assert [(i.start, i.end, i.speaker, i.license) for i in one.intervals] == [
        (10.0, 30.5, "Bo", "CC0"), (40.0, None, "Eve", ""),
    ]  # fmt: skip
    assert gone.path is None and gone.intervals[0].speaker == "gone"


def test_pats_table_finds_videos_by_name_or_link_in_the_speakers_folder_or_anywhere(tmp_path):
    for name in ("jon/talk.mp4", "oliver/0123456789a.mkv", "deep/er/show.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    table = tmp_path / "cmu_intervals_df.csv"
    table.write_text(
        PATS + "train,4.5,0 days 00:01:04.500000000,1,jon,0 days 00:01:00,talk.mp4,x\n"
        "dev,4,0:02:04,2,jon,0:02:00,talk.mp4,x\n"
        "train,5,65.5,3,oliver,60.5,Some Title,https://www.youtube.com/looks?v=0123456789a\n"
        "train,5,2017-01-01 00:00:15,4,seth,2017-01-01 00:00:10,show.mp4,\n"
        "test,5,10,5,seth,5,gone.mp4,\n"
    )
    found = {
        source.intervals[0].speaker + str(source.path and source.path.name): source
        for source in find_sources([table], tmp_path / "videos")
    }
    assert set(found) == {"jontalk.mp4", "oliver0123456789a.mkv", "sethshow.mp4", "sethNone"}
    assert [(i.start, i.end) for i in found["jontalk.mp4"].intervals] == [(60.0, 64.5), (120.0, 124.0)]
    assert [(i.start, i.end) for i in found["sethshow.mp4"].intervals] == [(10.0, 15.0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("no rows",)),
        ("file,start,end\n", ("no rows",)),
        ("name\nx.mp4\n", ("line 2", "no file name")),
        ("file,start,end\nx.mp4,5,4\n", ("line 2", "end is not after start")),
        ("file,start\nx.mp4,soon\n", ("line 2", "start is 'soon'")),
        ("file,start\nx.mp4,-1\n", ("line 2",)),
        ("file,start\nx.mp4,nan\n", ("line 2",)),
        ("file,sha256\nx.mp4,abc\n", ("line 2", "64")),
        ("file,speaker\n" + "x" * 70_000, ("65536",)),
        ('file\n"unclosed', ("cannot be read",)),
        ("file,start,end,speaker\nx.mp4,0,5,a\nx.mp4,4,9,b\n", ("a and b overlap at 4 s",)),
        ("file,sha256\nx.mp4," + "a" * 64 + "\nx.mp4," + "b" * 64 + "\n", ("two SHA-256",)),
    ],
)  # fmt: skip
def test_a_wrong_table_is_one_sentence(tmp_path, text, words):
    table = tmp_path / "table.csv"
    table.write_text(text)
    sentence(lambda: find_sources([table]), str(table), *words)


@pytest.mark.parametrize(
    "text", ["[1]", '{"file": ["x"]}', '{"file": "x.mp4", "start": {}}', "{", "null", '"x"']
)
def test_a_wrong_line_of_jsonl_is_one_sentence(tmp_path, text):
    table = tmp_path / "table.jsonl"
    table.write_text(text)
    sentence(lambda: read_table(table), str(table))


def test_nothing_to_prepare_is_one_sentence(run, tmp_path):
    (tmp_path / "empty").mkdir()
    sentence(lambda: find_sources([tmp_path / "empty"]), "contains no videos")
    sentence(lambda: find_sources([]), "nothing to prepare")
    sentence(lambda: find_sources([tmp_path / "nowhere"]), "no such file or folder")
    films.write_film(tmp_path / "in" / "film.mp4", seconds=0.4, poses=None)
    sentence(lambda: run(tmp_path / "in"), "no poses beside the videos, and no detector", "--detector-dir")
    table = tmp_path / "table.csv"
    table.write_text("file\ngone.mp4\n")
    sentence(lambda: run(table), "none of the 1 videos", "--videos")
    assert not (tmp_path / "data").exists()


def test_missing_and_changed_files_of_a_table_are_listed(run, tmp_path):
    film = films.write_film(tmp_path / "in" / "film.mp4", seconds=3.6)
    films.write_film(tmp_path / "in" / "other.mp4", seconds=4.0)
    digest = hashlib.sha256(film.read_bytes()).hexdigest()
    table = tmp_path / "in" / "table.csv"
    table.write_text(f"file,sha256\nfilm.mp4,{digest.upper()}\nother.mp4,{digest}\ngone.mp4,\n")
    data, _ = run(table, validation=0)
    assert [(line["source"], line["reason"]) for line in rejected(tmp_path / "data")] == [
        ("gone.mp4", "missing"), ("other.mp4", "changed"),
    ]  # fmt: skip
    assert [clip.info.source for clip in all_clips(data)] == [digest]


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        (ClipSettings(size=63), "--size"),
        (ClipSettings(size=4096), "--size"),
        (ClipSettings(quality=QualityFilter(hands=3)), "--hands"),
        (ClipSettings(quality=QualityFilter(silence=float("nan"))), "--silence"),
        (ClipSettings(quality=QualityFilter(face_points=2.0)), "--face-points"),
        (ClipSettings(quality=QualityFilter(shortest=1.0)), "--shortest"),
        (ClipSettings(quality=QualityFilter(longest=60.0)), "--longest"),
        (SetSettings(validation=0.6), "--validation"),
        (SetSettings(workers=0), "--workers"),
        (SetSettings(shard_mb=0), "--shard-mb"),
        (SetSettings(seed=-1), "--seed"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_name_their_option(settings, option):
    sentence(settings.check, option)


def test_a_model_that_is_not_there_names_its_option(tmp_path):
    from dataclasses import replace

    for name in ("wavlm", "wav2vec2", "detector_dir"):
        sentence(replace(CLIPS, **{name: tmp_path / "x"}).check, f"--{name.replace('_', '-')}")
