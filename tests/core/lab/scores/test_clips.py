"""Which files are one clip, and which clips are a pair."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.scores.clips import Files, Prepared, files_in, open_collection, read_index_table
from mmgt_core.lab.scores.pairs import paired
from mmgt_core.media.sound_file import save_wav
from mmgt_core.media.video_writer import write_video
from mmgt_core.pose.motion_file import save_motion
from mmgt_core.pose.openpose import to_pose_keypoint, write_pose_file

from .spoken import prepared, spoken


@pytest.fixture(scope="module")
def clip():
    return spoken(3, 2.0)


def test_files_of_one_name_are_one_clip(tmp_path, clip):
    clip.write(tmp_path, "a")
    clip.write(tmp_path / "ben", "b", video=False)
    save_wav(tmp_path / "a.wav", clip.sound)
    save_wav(tmp_path / "ben" / "b.wav", clip.sound)
    save_wav(tmp_path / "ben" / "b_vocals.wav", clip.sound)
    save_wav(tmp_path / "lonely.wav", clip.sound)
    found = files_in(tmp_path)
    assert sorted(found) == ["a", "ben/b"]
    assert found["a"].video and found["a"].poses and found["a"].recording == tmp_path / "a.wav"
    assert not found["ben/b"].has_video
    assert found["ben/b"].recording is not None and found["ben/b"].recording.name == "b_vocals.wav"


def test_a_motion_is_read_from_a_motion_file_a_pose_file_and_a_pose_folder(tmp_path, clip):
    save_motion(tmp_path / "a.safetensors", clip.motion)
    write_pose_file(tmp_path / "b_keypoints.json", clip.motion)
    (tmp_path / "c_keypoints").mkdir()
    for number, frame in enumerate(to_pose_keypoint(clip.motion)):
        path = tmp_path / "c_keypoints" / f"c_{number:012d}_keypoints.json"
        path.write_text(json.dumps(frame), encoding="utf-8")
    found = files_in(tmp_path)
    assert sorted(found) == ["a", "b", "c"]
    for name, side in found.items():
        motion = side.motion()
        assert motion is not None and motion.frames == clip.motion.frames, name
        shown = clip.motion.keypoints[..., 2] > 0.3
        gap = (motion.keypoints - clip.motion.keypoints)[..., :2][shown].abs().max()
        assert float(gap) < 1e-3, name
        assert side.sound() is None and list(side.images()) == []


def test_images_and_poses_come_to_25_frames_a_second(tmp_path, clip):
    write_video(tmp_path / "a.mp4", clip.images, fps=50)
    write_pose_file(tmp_path / "a.json", clip.motion)
    side = files_in(tmp_path)["a"]
    images = list(side.images())
    motion = side.motion()
    assert len(images) == len(clip.images) // 2
    assert motion is not None and motion.frames == len(images)
    assert float((motion.keypoints[10] - clip.motion.keypoints[20])[..., :2].abs().max()) < 1e-3
    assert side.sound() is None, "it was written without sound"


def test_a_prepared_data_set_is_a_collection_and_gives_its_clips(tmp_path):
    clips = [spoken(seed) for seed in (3, 4, 5)]
    prepared(tmp_path, clips)
    held_out = open_collection(tmp_path)
    assert isinstance(held_out, Prepared) and len(held_out.names()) == 1
    ((name, side),) = held_out.iterate(held_out.names(), video=True)
    assert side.motion().frames == side.sound().frames == len(list(side.images())) == 100
    assert float((side.motion().keypoints - clips[2].motion.keypoints).abs().max()) == 0
    ((_, blind),) = held_out.iterate([name], video=False)
    assert not blind.has_video
    assert len(open_collection(tmp_path, "train").names()) == 2


def test_pairs_are_the_names_that_both_have(tmp_path, clip):
    for folder, names in (("pred", "abx"), ("truth", "abc")):
        for name in names:
            clip.write(tmp_path / folder, name, video=False)
    found = paired("mine", *(Files(files_in(tmp_path / side)) for side in ("pred", "truth")))
    assert (found.names, found.missing, found.extra) == (("a", "b"), ("c",), ("x",))
    pairs = list(found.iterate())
    assert [pair.name for pair in pairs] == ["a", "b"]
    assert pairs[0].pred.poses != pairs[0].truth.poses


def test_names_that_do_not_meet_are_an_error_that_shows_both(tmp_path, clip):
    clip.write(tmp_path / "pred", "one", video=False)
    clip.write(tmp_path / "truth", "two", video=False)
    with pytest.raises(InputError, match="one against two"):
        paired("mine", *(Files(files_in(tmp_path / side)) for side in ("pred", "truth")))


def test_the_given_sound_counts_before_the_truths_and_that_before_the_predictions_own(tmp_path, clip):
    other = spoken(4, 2.0)
    clip.write(tmp_path / "pred", "a")
    other.write(tmp_path / "truth", "a")
    sides = [Files(files_in(tmp_path / side)) for side in ("pred", "truth")]
    quiet = clip.sound.cut(0, 1.0)
    save_wav(tmp_path / "given.wav", quiet)

    def sound(*args, **more):
        (pair,) = paired("mine", *args, **more).iterate()
        return pair.sound()

    assert sound(*sides, recordings={"a": tmp_path / "given.wav"}).seconds == pytest.approx(1)
    truth, own = sound(*sides).samples[:16000], sound(sides[0]).samples[:16000]
    assert np.corrcoef(truth, own)[0, 1] < 0.9


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_an_index_names_prediction_truth_and_sound(tmp_path, clip, ending):
    clip.write(tmp_path / "x", "p1")
    clip.write(tmp_path / "y", "t7", video=False)
    save_wav(tmp_path / "s.wav", clip.sound)
    rows = [{"name": "one", "pred": "x/p1.mp4", "truth": "y/t7.safetensors", "audio": "s.wav"},
            {"name": "", "pred": "x/p1.safetensors", "truth": "", "audio": ""}]  # fmt: skip
    path = tmp_path / f"index{ending}"
    if ending == ".csv":
        lines = ["name,pred,truth,audio", *(",".join(row.values()) for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    pred, truth, sounds = read_index_table(path)
    assert pred.names() == ["one", "p1"] and truth is not None and truth.names() == ["one"]
    assert pred.sides["one"].has_video and pred.sides["one"].has_motion, "the motion beside it belongs to it"
    assert sounds == {"one": tmp_path / "s.wav"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name,pred\na,\n", "names no prediction"),
        ("name,pred\na,gone.mp4\n", "there is no"),
        ("name,pred\na,i.csv\n", "neither video nor motion"),
        ("", "no rows"),
        ("name,pred\na,i.mp4\na,i.mp4\n", "two rows"),
    ],
)
def test_a_wrong_index_is_an_error_with_its_row(tmp_path, text, fault):
    (tmp_path / "i.mp4").touch()
    (tmp_path / "i.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=fault):
        read_index_table(tmp_path / "i.csv")


def test_a_folder_without_clips_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no clips"):
        open_collection(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        open_collection(tmp_path / "gone")
