"""The whole evaluation on small videos: order of systems, resuming, faults, and the files it writes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmgt_core.base.errors import InputError
from mmgt_core.lab.commands.eval import Options, run
from mmgt_core.lab.scores import run as run_module
from mmgt_core.lab.scores.request import request_of
from mmgt_core.lab.scores.run import evaluate
from mmgt_core.lab.scores.write import write_results

from .spoken import late, spoken


class Silent:
    def stage(self, name):
        return lambda done, total, preview=None: None

    def close(self): ...

    def note(self, text): ...


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """The truth, the same again, blurred, and three frames late: three clips each."""
    folder = tmp_path_factory.mktemp("videos")
    for seed in (3, 4, 5):
        clip = spoken(seed)
        count = len(clip.images)
        blurred = np.stack([cv2.GaussianBlur(image, (0, 0), 1.0) for image in clip.images])
        for name, version in (
            ("true", clip),
            ("same", clip),
            ("blurred", replace(clip, images=blurred)),
            ("late", clip.at(late(3, count))),
        ):
            version.write(folder / name, f"clip{seed}")
    return folder


@pytest.fixture(scope="module")
def result(videos, tmp_path_factory):
    systems = [videos / name for name in ("same", "blurred", "late")]
    request = request_of(tmp_path_factory.mktemp("out"), systems, truth=videos / "true")
    return evaluate(request)


def of(result, system, name):
    return next(entry for entry in result.systems if entry.name == system).scores[name]


def test_the_truth_against_itself_is_perfect(result):
    assert of(result, "same", "psnr").value == pytest.approx(100)
    assert of(result, "same", "ssim").value == pytest.approx(1, abs=1e-5)
    assert of(result, "same", "rmse").value == 0
    assert of(result, "same", "lips_truth").value == pytest.approx(1)
    assert of(result, "same", "lips_truth_lag").value == pytest.approx(0, abs=1)


def test_systems_are_ordered_and_the_lag_of_the_late_one_is_found(result):
    assert of(result, "same", "psnr").value > of(result, "blurred", "psnr").value
    assert of(result, "same", "ssim_hands").value > of(result, "late", "ssim_hands").value
    assert of(result, "late", "lips_truth_lag").value == pytest.approx(120, abs=4)
    gap = of(result, "late", "lips_sound_lag").value - of(result, "same", "lips_sound_lag").value
    assert gap == pytest.approx(120, abs=12)
    assert of(result, "late", "lips_sound").value < of(result, "same", "lips_sound").value


def test_every_figure_has_its_number_of_samples_and_an_interval(result):
    for system in result.systems:
        for name, score in system.scores.items():
            assert score.samples > 1, (system.name, name)
            assert score.low <= score.value <= score.high or name.startswith("diversity"), (system.name, name)


def test_the_truth_has_a_row_of_its_own_figures_and_no_distances(result):
    truth = result.systems[-1]
    assert truth.name == "truth" and {"beat", "jerk", "lips_sound", "diversity_motion"} <= set(truth.scores)
    assert not {"psnr", "rmse", "lips_truth"} & set(truth.scores)


def test_differences_between_systems_are_drawn_in_pairs(result):
    assert set(result.differences) == {"same - blurred", "same - late"}
    psnr = result.differences["same - blurred"]["psnr"]
    assert psnr.low > 0
    each = [
        result.systems[0].records[clip]["psnr"] - result.systems[1].records[clip]["psnr"]
        for clip in ("clip3", "clip4", "clip5")
    ]
    assert psnr.value == pytest.approx(np.mean(each))


def test_the_files_hold_everything_and_the_page_is_in_the_papers_layout(result, tmp_path):
    page = write_results(tmp_path, result).read_text(encoding="utf-8")
    values = json.loads((tmp_path / "eval.json").read_text(encoding="utf-8"))
    assert [system["name"] for system in values["systems"]] == ["same", "blurred", "late", "truth"]
    assert values["systems"][0]["scores"]["psnr"]["samples"] == 3
    assert values["settings"]["beat_alignment"]["sigma_seconds"] == 0.1
    head = next(line for line in page.splitlines() if line.startswith("|"))
    order = ["FGD", "diversity", "FID", "FVD", "PSNR", "SSIM", "LPIPS", "Sync-C", "Sync-D"]
    places = [head.index(title) for title in order]
    assert places == sorted(places)
    assert "same - late" in page and "differs" in page and "NaN" not in page


def test_what_needs_no_truth_runs_on_the_prediction_and_its_sound(videos, tmp_path):
    result = evaluate(request_of(tmp_path, [videos / "late"]))
    assert [system.name for system in result.systems] == ["late"]
    scores = result.systems[0].scores
    assert {"lips_sound", "lips_sound_lag", "beat", "jerk", "background", "hands_seen"} <= set(scores)
    assert "psnr" not in scores and "rmse" not in scores


def test_a_stopped_run_measures_the_rest_and_a_changed_file_again(videos, tmp_path, monkeypatch):
    import shutil

    folder = tmp_path / "mine"
    shutil.copytree(videos / "late", folder)
    measured = []
    real = run_module.measure

    def counted(pair, *args):
        if len(measured) == 2 and not done:
            raise KeyboardInterrupt
        measured.append(pair.name)
        return real(pair, *args)

    done = False
    monkeypatch.setattr(run_module, "measure", counted)
    with pytest.raises(KeyboardInterrupt):
        evaluate(request_of(tmp_path / "out", [folder]))
    done = True
    first = evaluate(request_of(tmp_path / "out", [folder]))
    assert measured == ["clip3", "clip4", "clip5"]
    shutil.copy(videos / "true" / "clip4.safetensors", folder / "clip4.safetensors")
    second = evaluate(request_of(tmp_path / "out", [folder]))
    assert measured == ["clip3", "clip4", "clip5", "clip4"]
    assert second.systems[0].scores["lips_sound"] != first.systems[0].scores["lips_sound"]
    assert second.systems[0].records["clip3"] == first.systems[0].records["clip3"]


def test_an_unreadable_clip_is_left_out_of_all_systems_and_named(videos, tmp_path):
    for name in ("clip3", "clip4"):
        for ending in (".mp4", ".safetensors"):
            target = tmp_path / "mine" / f"{name}{ending}"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes((videos / "late" / f"{name}{ending}").read_bytes())
    (tmp_path / "mine" / "clip4.safetensors").write_bytes(b"nothing")
    result = evaluate(request_of(tmp_path / "out", [tmp_path / "mine", videos / "same"]))
    assert [system.clips for system in result.systems] == [1, 1]
    assert "clip4" in result.systems[0].left_out and not result.systems[1].left_out
    assert "clip5" in result.missing
    assert math.isnan(result.systems[0].scores["psnr" if "psnr" in result.systems[0].scores else "jerk"].low)


def test_the_command_writes_the_page_and_names_it(videos, tmp_path, capsys):
    options = Options(out=tmp_path, pred=(videos / "same",), truth=videos / "true", limit=2)
    assert run(options, Silent()) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "eval.md")
    assert (tmp_path / "eval.json").is_file()


def test_nothing_to_evaluate_and_systems_of_one_name_are_errors(videos, tmp_path):
    with pytest.raises(InputError, match="nothing to evaluate"):
        request_of(tmp_path, [])
    with pytest.raises(InputError, match="same folder"):
        request_of(tmp_path, [videos / "same", videos / "same"])
    with pytest.raises(InputError, match="no such folder"):
        request_of(tmp_path, [videos / "gone"])
