"""A prepared data set: what is written comes back, the same bytes each time, and damage is one sentence."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.base.feature_kinds import LOG_MEL
from mmgt_core.lab.dataset.arrays import from_npy, to_npy
from mmgt_core.lab.dataset.layout import ENTRIES, MOTION, WAVLM, windows_of
from mmgt_core.lab.dataset.reader import PreparedData, read_shard

from . import made_up

pytest.importorskip("webdataset")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data")
    made_up.make(path, shard_bytes=500_000)
    return path


@pytest.fixture
def copied(folder, tmp_path):
    import shutil

    return shutil.copytree(folder, tmp_path / "data")


def all_clips(data, entries=ENTRIES):
    return [
        clip
        for split in ("train", "validation")
        for shard in data.shards(split)
        for clip in data.read(shard, entries)
    ]


def test_everything_comes_back_as_it_was_given(folder):
    data = PreparedData.open(folder)
    clips = {clip.info.key: clip for clip in all_clips(data)}
    assert len(clips) == data.index.clips() == 5
    for source, number, frames in (("a", 0, 80), ("a", 1, 90), ("b", 0, 80), ("b", 1, 100), ("c", 0, 80)):
        given = made_up.pending(source, number, frames)
        clip, seed = clips[given.info.key], sum(source.encode()) + number
        assert clip.info == given.info
        own = made_up.arrays(frames, seed)
        for name, array in (
            (MOTION, clip.motion),
            ("prosody.npy", clip.prosody),
            ("speech.npy", clip.speech),
        ):
            np.testing.assert_array_equal(array, own[name])
        assert clip.wavlm is None
        np.testing.assert_array_equal(
            np.rint(clip.samples() * 32768).astype(np.int16), made_up.samples(frames, seed)
        )
        seen = clip.images()
        assert seen.shape == (frames, 64, 64, 3)
        assert np.abs(seen.astype(int) - np.stack(made_up.images(frames, seed))).max() <= 3


def test_images_of_any_frames_are_those_of_the_whole_clip(folder):
    data = PreparedData.open(folder)
    clip = data.read(data.shards("train")[0], ("mp4",))[0]
    whole = clip.images()
    for chosen in ([0], [11], [12], [13], [clip.frames - 1], [30, 7, 7], slice(20, 50), slice(5, 60, 9)):
        np.testing.assert_array_equal(clip.images(chosen), whole[chosen])
    assert clip.images([]).shape == (0, 64, 64, 3)
    with pytest.raises(IndexError):
        clip.images([clip.frames])


def test_the_index_counts_what_is_there(folder):
    data = PreparedData.open(folder)
    index, clips = data.index, all_clips(data, ("json",))
    assert index.frames() == sum(clip.frames for clip in clips) == 430
    assert len(data.shards("train")) > 1 and len(data.shards("validation")) == 1
    assert [(s.name, s.train_clips, s.validation_frames) for s in index.speakers] == [
        ("speaker a", 2, 0), ("speaker b", 2, 0), ("speaker c", 0, 80),
    ]  # fmt: skip
    assert index.windows == sum(windows_of(clip.frames) for clip in clips) == 1 + 1 + 1 + 2 + 1
    data.verify()


def test_only_the_entries_that_are_asked_for_are_read(folder, monkeypatch):
    data = PreparedData.open(folder)
    shard = data.shards("train")[0]
    clip = data.read(shard, (MOTION,))[0]
    assert clip.motion is not None and clip.video is clip.sound is clip.prosody is clip.speech is None
    with pytest.raises(InputError, match="the video was not read"):
        clip.images()
    path = data.folder / "shards" / shard.name
    read = []

    class Counting(io.FileIO):
        def readinto(self, buffer):
            read.append(super().readinto(buffer))
            return read[-1]

    monkeypatch.setattr("builtins.open", lambda file, mode: io.BufferedReader(Counting(file, mode), 512))
    read_shard(path, (), speech=LOG_MEL)
    monkeypatch.undo()
    assert 0 < sum(read) < path.stat().st_size / 10


def test_webdataset_reads_the_same_samples(folder):
    from webdataset.tariterators import tarfile_samples

    data = PreparedData.open(folder)
    shard = data.shards("train")[0]
    theirs = list(tarfile_samples([{"url": str(data.folder / "shards" / shard.name)}]))
    ours = data.read(shard)
    assert [sample["__key__"] for sample in theirs] == [clip.info.key for clip in ours]
    assert all(sample["mp4"] == clip.video for sample, clip in zip(theirs, ours, strict=True))


def test_the_same_clips_give_the_same_bytes_in_whatever_order_they_come(folder, tmp_path):
    made_up.make(tmp_path / "again", shard_bytes=500_000, order=-1)
    for name in ("dataset.json", *(f"shards/{p.name}" for p in (folder / "shards").iterdir())):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_shard_mixes_the_speakers(tmp_path):
    from mmgt_core.lab.dataset.writer import write_dataset

    clips = [made_up.pending(source, number) for source in "de" for number in range(6)]
    write_dataset(tmp_path, clips, size=64, speech=LOG_MEL, wavlm=False, split="none")
    data = PreparedData.open(tmp_path)
    order = [clip.info.speaker[-1] for clip in data.read(data.shards("train")[0], ())]
    assert sorted(order) == ["d"] * 6 + ["e"] * 6 != order


def test_writing_again_with_larger_shards_leaves_no_older_ones(copied):
    made_up.make(copied, shard_bytes=2**30)
    data = PreparedData.open(copied)
    assert {p.name for p in (copied / "shards").iterdir()} == {s.name for s in data.index.shards}
    assert len(data.shards("train")) == 1


def test_wavlm_rows_come_back(tmp_path):
    made_up.make(tmp_path, wavlm=True)
    data = PreparedData.open(tmp_path)
    assert data.index.wavlm
    clip = data.read(data.shards("validation")[0], (WAVLM,))[0]
    np.testing.assert_array_equal(clip.wavlm, made_up.arrays(80, ord("c"))[WAVLM])


def sentence(call, *words):
    with pytest.raises(InputError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text and len(text) < 1000 and caught.value.fix
    for word in words:
        assert word in text
    return text


def test_what_is_no_data_set_is_one_sentence(copied, tmp_path):
    sentence(lambda: PreparedData.open(tmp_path / "nowhere"), "no dataset.json")
    index = copied / "dataset.json"
    values = json.loads(index.read_text())
    index.write_text(json.dumps({**values, "mmgt_dataset": 2}))
    sentence(lambda: PreparedData.open(copied), "version 2", "version 1")
    for name, value in (("size", "x"), ("fps", 30), ("speech", "other"), ("hash", "0"), ("shards", {})):
        index.write_text(json.dumps({**values, name: value}))
        sentence(lambda: PreparedData.open(copied), "damaged", str(index))
    for name in values:
        index.write_text(json.dumps({key: values[key] for key in values if key != name}))
        if name not in ("clips", "frames"):
            sentence(lambda: PreparedData.open(copied), str(copied))
    shards = [{**values["shards"][0], "name": "../train.tar"}, *values["shards"][1:]]
    index.write_text(json.dumps({**values, "shards": shards}))
    sentence(lambda: PreparedData.open(copied), "../train.tar")


def test_a_missing_or_shortened_shard_is_one_sentence(copied):
    path = copied / "shards" / "validation-00000.tar"
    data = path.read_bytes()
    path.write_bytes(data[:-512])
    sentence(lambda: PreparedData.open(copied), "bytes instead of", path.name)
    path.unlink()
    sentence(lambda: PreparedData.open(copied), "is missing", path.name)


def test_a_damaged_shard_is_one_sentence_wherever_the_damage_is(copied):
    data = PreparedData.open(copied)
    shard = data.shards("validation")[0]
    path = copied / "shards" / shard.name
    good = path.read_bytes()
    for place in range(0, len(good) - 2048, 512):
        path.write_bytes(good[:place] + b"\xff" * 512 + good[place + 512 :])
        with pytest.raises(InputError, match="damaged"):
            data.verify()
        try:
            for clip in data.read(shard):
                clip.samples()
                clip.images()
        except InputError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
    path.write_bytes(good[: len(good) // 2])
    sentence(lambda: data.read(shard), "damaged", path.name)


def test_arrays_of_another_type_or_shape_are_refused_before_memory_is_taken():
    layout = made_up.LAYOUTS[MOTION]
    good = made_up.arrays(80, 0)[MOTION]
    data = to_npy(good, layout)
    np.testing.assert_array_equal(from_npy(data, layout, 80), good)
    huge = data.replace(b"(80, 134, 3)", b"(80, 134, 9)")
    wrong = [huge, data[:-4], data + b"0000", data.replace(b"<f4", b"<f8"), data.replace(b"<f4", b"|O8")]
    for bad in (*wrong, b"", b"\x93NUMPY", to_npy(good[:79], layout)):
        with pytest.raises(ValueError):
            from_npy(bad, layout, 80)
    for bad in (np.full_like(good, np.nan), good[:, :100]):
        with pytest.raises(ValueError):
            to_npy(bad, layout)
