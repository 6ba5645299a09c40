"""Each fault of a video gets its own reason, and what is around it is kept."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.prepare.report import MEANINGS
from mmgt_core.pose import skeleton

from . import films
from .conftest import all_clips, rejected

SECONDS, FROM, TO = 10.0, 4.0, 6.0  # of a film, and of the fault in it


def inside(time: float) -> bool:
    return FROM <= time < TO


def without(part, time: float) -> list[np.ndarray]:
    points = films.pose(time)
    if inside(time):
        points[part, 2] = 0
    return [points]


def turned(time: float) -> list[np.ndarray]:
    points = films.pose(time)
    if inside(time):
        jaw = points[skeleton.JAW, 0]
        points[skeleton.NOSE, 0] = jaw.min() + 0.02 * np.ptp(jaw)
    return [points]


def scaled(factor: float):
    def people(time: float) -> list[np.ndarray]:
        points = films.pose(time)
        if inside(time):
            points[:, :2] = 0.5 + factor * (points[:, :2] - 0.5)
        return [points]

    return people


def second(time: float) -> list[np.ndarray]:
    other = films.pose(time)
    other[:, :2] = [0.8, 0.5] + 0.4 * (other[:, :2] - 0.5)
    return [films.pose(time), other] if inside(time) else [films.pose(time)]


def quiet() -> np.ndarray:
    sound = films.speech(SECONDS)
    sound[round((FROM - 0.4) * films.RATE) : round((TO + 0.4) * films.RATE)] = 0
    return sound


FAULTS = {
    "hands": {"people": lambda time: without(skeleton.LEFT_HAND, time)},
    "turned away": {"people": turned},
    "nobody": {"people": lambda time: [] if inside(time) else [films.pose(time)]},
    "outside": {"people": lambda time: without([skeleton.LEFT_SHOULDER], time)},
    "small": {"people": scaled(0.1)},
    "several people": {"people": second},
    "silence": {"sound": quiet()},
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_that_lasts_is_left_out_with_its_reason(run, tmp_path, reason):
    films.write_film(
        tmp_path / "in" / "film.mp4", seconds=SECONDS, **{"sound": films.speech(SECONDS)} | FAULTS[reason]
    )
    # The small one is moved by more than its shoulders: that counts as a hidden cut as well.
    data, summary = run(tmp_path / "in", validation=0, quality={"jump": 100.0})
    lines = [line for line in rejected(tmp_path / "data") if line["end"] > line["start"]]
    assert [line["reason"] for line in lines] == [reason]
    assert (lines[0]["source"], lines[0]["start"], lines[0]["end"]) == (
        "film.mp4", pytest.approx(FROM, abs=0.25), pytest.approx(TO, abs=0.25),
    )  # fmt: skip
    clips = sorted(all_clips(data), key=lambda clip: clip.info.start)
    assert [clip.info.key[-4:] for clip in clips] == ["-000", "-001"]
    assert clips[0].info.start == 0 and clips[1].info.start == lines[0]["end"]
    kept = sum(clip.info.seconds for clip in clips)
    assert kept + lines[0]["end"] - lines[0]["start"] == pytest.approx(summary.seconds)
    assert summary.kept == pytest.approx(kept) and summary.reasons[reason].stretches == 1
    assert f"| {reason} | {MEANINGS[reason]} | 0 | 1 |" in (tmp_path / "data" / "report.md").read_text()


@pytest.mark.parametrize("reason", ["hands", "turned away", "several people", "silence"])
def test_what_is_shorter_than_its_gap_is_forgiven(run, tmp_path, reason):
    films.write_film(
        tmp_path / "in" / "film.mp4", seconds=SECONDS, **{"sound": films.speech(SECONDS)} | FAULTS[reason]
    )
    gaps = {"hand_gap": 3.0, "face_gap": 3.0, "people_gap": 3.0, "silence": 4.0}
    data, summary = run(tmp_path / "in", validation=0, quality=gaps)
    assert not summary.reasons and len(all_clips(data)) == 1


def test_a_cut_divides_and_nothing_is_lost(run, tmp_path):
    def image(time: float) -> np.ndarray:
        shade = np.full((films.SIZE, films.SIZE, 3), films.gray(time) // 4, np.uint8)
        return shade + np.uint8(120) if time >= 5.0 else shade

    films.write_film(tmp_path / "in" / "film.mp4", seconds=SECONDS, sound=films.speech(SECONDS), image=image)
    data, summary = run(tmp_path / "in", validation=0)
    assert [(line["reason"], line["start"], line["end"]) for line in rejected(tmp_path / "data")] == [
        ("cut", 5.0, 5.0)
    ]
    assert sorted(clip.info.seconds for clip in all_clips(data)) == [5.0, 5.0]


def test_a_jump_of_the_person_divides_although_the_image_hardly_changes(run, tmp_path):
    def people(time: float) -> list[np.ndarray]:
        points = films.pose(time)
        points[:, 0] += 0.3 * (time >= 5.0)
        return [points]

    film = {"seconds": SECONDS, "sound": films.speech(SECONDS), "people": people, "size": (192, films.SIZE)}
    films.write_film(tmp_path / "in" / "film.mp4", **film)
    data, _ = run(tmp_path / "in", validation=0)
    assert [(line["reason"], line["start"]) for line in rejected(tmp_path / "data")] == [("jump", 5.0)]
    assert len(all_clips(data)) == 2


def test_a_long_stretch_becomes_clips_of_the_longest_length(run, tmp_path):
    films.write_film(tmp_path / "in" / "film.mp4", seconds=11.0, sound=films.speech(11.0))
    data, summary = run(tmp_path / "in", validation=0, quality={"longest": 4.0})
    lengths = [clip.frames for clip in all_clips(data)]
    assert len(lengths) == 3 and max(lengths) <= 100 and sum(lengths) == round(summary.seconds * 25)


FILES = {"short": {"seconds": 2.0}, "no sound": {"sound": np.zeros(0)}, "no poses": {"poses": None}}


def test_files_that_cannot_be_used_cost_a_line_each(run, tmp_path):
    folder = tmp_path / "in"
    for name, film in FILES.items():
        seconds = film.get("seconds", 5.0)
        films.write_film(folder / f"{name}.mp4", **{"seconds": seconds, **film})
    films.write_film(folder / "good.mp4")
    (folder / "copy.mp4").write_bytes((folder / "good.mp4").read_bytes())
    (folder / "copy.json").write_bytes((folder / "good.json").read_bytes())
    data = films.write_film(folder / "unreadable.mp4").read_bytes()
    (folder / "unreadable.mp4").write_bytes(data[: len(data) // 2])
    films.write_film(folder / "poses.mp4", seconds=4.0)
    films.write_poses(folder / "poses.mp4", [[films.pose(0)]] * 30, "list", (96, 96))
    films.write_film(folder / "poses too.mp4", seconds=4.4)
    (folder / "poses too.json").write_text("[1, 2")
    data, summary = run(folder, validation=0)
    found = {line["source"].removesuffix(".mp4"): line["reason"] for line in rejected(tmp_path / "data")}
    expected = {name: name for name in (*FILES, "unreadable", "poses")}
    assert found == expected | {"good": "duplicate", "poses too": "poses"}, "the copy came first"
    assert summary.files == 8 and summary.used == len(all_clips(data)) == 1
    report = (tmp_path / "data" / "report.md").read_text()
    assert "30 poses for a video of 100 frames" in report and str(tmp_path) not in report


def test_a_video_that_is_damaged_in_the_middle_costs_a_line_too(run, tmp_path):
    film = films.write_film(tmp_path / "in" / "film.mp4")
    films.write_film(tmp_path / "in" / "good.mp4")
    data = bytearray(film.read_bytes())
    for seed in range(3):
        rng = np.random.default_rng(seed)
        for place in rng.integers(200, len(data), 20).tolist():
            data[place] ^= 255
        film.write_bytes(data)
        _, summary = run(tmp_path / "in", validation=0, out=tmp_path / f"data {seed}")
        assert summary.files == 2 and summary.used >= 1


def test_the_person_is_found_by_the_detector_where_there_are_no_poses(run, tmp_path):
    from dataclasses import replace

    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from tests.core.pose.tiny_onnx import paint, write_networks

    from .conftest import CLIPS

    folder = write_networks(tmp_path / "networks")

    shown = paint(192, 192, [(0.5, 0.5, 100)])
    film = {"seconds": 4.0, "poses": None, "size": (192, 192), "image": lambda time: shown}
    films.write_film(tmp_path / "in" / "film.mp4", **film)
    # The tiny networks see one blot as several people, whose points are all in one place.
    loose = {"shoulders": 0.0, "face_front": 0.0, "hands": 0, "second_person": 9.0}
    data, summary = run(
        tmp_path / "in", validation=0, clips=replace(CLIPS, detector_dir=folder, device="cpu"), quality=loose
    )
    (clip,) = all_clips(data, ("motion.npy",))
    np.testing.assert_allclose(clip.motion[:, skeleton.NOSE, :2], 0.5, atol=0.2)
    assert (clip.motion[:, skeleton.NOSE, 2] > 0.3).all()


def test_nothing_kept_is_one_sentence_and_a_report(run, tmp_path):
    films.write_film(tmp_path / "in" / "film.mp4", sound=np.zeros(0))
    with pytest.raises(InputError, match=r"no clip was kept of the only file \(reasons: no sound\)"):
        run(tmp_path / "in")
    assert "no sound" in (tmp_path / "data" / "report.md").read_text()
    assert not (tmp_path / "data" / "dataset.json").exists()
