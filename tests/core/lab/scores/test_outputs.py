"""Plots and side-by-side videos."""

from __future__ import annotations

import numpy as np
import pytest

from mmgt_core.lab.scores.compare_video import write_comparisons
from mmgt_core.lab.scores.request import request_of
from mmgt_core.lab.scores.run import evaluate
from mmgt_core.lab.scores.write import write_results
from mmgt_core.media.images import load_image
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.media.video_reader import read_video

from .spoken import late, spoken


@pytest.fixture(scope="module")
def request_(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for seed in (3, 4):
        clip = spoken(seed, 2.0)
        clip.write(folder / "true", f"c{seed}")
        clip.at(late(3, len(clip.images))).write(folder / "late", f"c{seed}")
        clip.write(folder / "motions", f"c{seed}", video=False)
    return request_of(folder / "out", [folder / "late", folder / "motions"], truth=folder / "true")


def test_plots_show_something_and_can_be_left_out(request_, tmp_path):
    pytest.importorskip("matplotlib")
    result = evaluate(request_)
    write_results(tmp_path / "with", result)
    for name in ("mouth.png", "time.png", "hands.png"):
        image = load_image(tmp_path / "with" / name)
        assert image.shape[0] > 200 and len(np.unique(image.reshape(-1, 3), axis=0)) > 20, name
    write_results(tmp_path / "without", result, plots=False)
    assert not (tmp_path / "without" / "mouth.png").exists() and (tmp_path / "without" / "eval.md").exists()


def test_a_comparison_shows_sound_truth_video_and_skeleton_beside_each_other(request_, tmp_path):
    (path,) = write_comparisons(tmp_path, request_, ["c3"])
    frames = read_video(path).frames
    assert frames.shape[1:] == (256, 4 * 256, 3) and len(frames) == 50
    assert load_waveform(path).seconds == pytest.approx(2, abs=0.1)
    sound, true, shifted, skeleton = np.split(frames[30].astype(int), 4, axis=1)
    assert np.abs(true - shifted)[40:].mean() < np.abs(true - skeleton)[40:].mean()
    moved = np.split(frames[33].astype(int), 4, axis=1)
    assert np.abs(moved[2] - true)[40:].mean() < np.abs(shifted - true)[40:].mean(), "three frames later"
    assert sound.std() > 0
