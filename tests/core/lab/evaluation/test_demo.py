"""The whole command on tiny untrained models: parts, files, resuming, and honest refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmgt_core import assets
from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.checkpoints.io import read_model_file, write_model_file
from mmgt_core.checkpoints.smga import save_smga
from mmgt_core.checkpoints.video import save_video_model
from mmgt_core.lab.evaluation import demo
from mmgt_core.lab.evaluation.demo import PARTS, _model_files, evaluate_demo
from mmgt_core.lab.evaluation.inputs import write_inputs
from mmgt_core.lab.evaluation.plan import QUICK, REAL, Plan
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA
from mmgt_core.video.config import demo_config
from mmgt_core.video.model import VideoModel


@pytest.fixture(scope="module")
def files(tmp_path_factory, presenter_inputs):
    """Untrained models, and inputs of seed 3."""
    folder = tmp_path_factory.mktemp("models")
    config = SMGAConfig(width=32, ffn=32, layers=1, heads=2, encoder_layers=1, audio_channels=35, steps=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_smga(folder / "motion.safetensors", SMGA(config), {})
    small = replace(
        demo_config(), block_channels=(32, 32, 32, 32), size=128, steps=1, window=4, overlap=1,
        audio_intermediate=8, autoencoder_channels=8, autoencoder_encoder_blocks=(1, 1, 1, 1),
        autoencoder_decoder_blocks=(1, 1, 1, 1),
    )  # fmt: skip
    save_video_model(folder / "video.safetensors", VideoModel.build(small, 0), {})
    write_inputs(presenter_inputs, folder / "inputs.safetensors")
    return {
        "motion_model": folder / "motion.safetensors",
        "video_model": folder / "video.safetensors",
        "inputs": folder / "inputs.safetensors",
    }


@pytest.fixture(autouse=True)
def tiny_plan(monkeypatch):
    tiny = Plan(speech_clips=2, identities=1, mouth_frames=5, picture_frames=2, still_frames=2, quick=True)
    monkeypatch.setattr(demo, "QUICK", tiny)


def test_the_whole_table_resumes_and_says_that_it_is_a_smoke_run(files, tmp_path):
    calls = []
    journal = tmp_path / "journal.jsonl"
    first = evaluate_demo(
        3, quick=True, journal=journal, progress=lambda *call: calls.append(call[:2]), **files
    )
    assert [figure.stage for figure in first.figures] == ["stage1"] * 8 + ["stage2"] * 15 + ["end-to-end"]
    assert first.quick and first.exit_code == 1 and "SMOKE" in first.to_text()
    total = calls[0][1]
    assert [done for done, _ in calls] == list(range(1, total + 1)) and {of for _, of in calls} == {total}

    lines = journal.read_text().splitlines()
    part = evaluate_demo(3, quick=True, journal=journal, only="stage2", **files)
    assert part.figures == first.figures[8:23], "the journal's numbers, not new ones"
    assert journal.read_text().splitlines() == lines


def test_without_files_the_shipped_models_are_measured():
    files = _model_files(PARTS, None, None)
    assert files == {
        "motion_model": assets.asset(assets.MOTION_MODEL),
        "video_model": assets.asset(assets.VIDEO_MODEL),
    }


def test_a_note_in_the_header_keeps_a_journal_and_other_weights_do_not(files, tmp_path):
    file = read_model_file(files["motion_model"])
    noted, moved = tmp_path / "noted.safetensors", tmp_path / "moved.safetensors"
    write_model_file(noted, replace(file, provenance={"note": "of the model card"}))
    write_model_file(moved, replace(file, tensors={k: v + 0.01 for k, v in file.tensors.items()}))
    before = evaluate_demo(3, only="stage1", **files).conditions["motion_model"]
    same, other = (
        evaluate_demo(3, only="stage1", **{**files, "motion_model": path}).conditions["motion_model"]
        for path in (noted, moved)
    )
    assert same == before != other


def test_too_few_inputs_are_a_smoke_run_however_it_was_called(files):
    table = evaluate_demo(3, only="stage1", **files)
    assert table.quick and table.conditions["speaking_windows"] < 200


def test_what_does_not_fit_is_refused_in_words(files, tmp_path):
    with pytest.raises(InputError, match="made for seed 3, not 0"):
        evaluate_demo(0, only="stage1", **files)
    with pytest.raises(InputError, match="no part 'stage3'"):
        evaluate_demo(3, only="stage3", **files)
    with pytest.raises(InputError, match="not a file of evaluation inputs"):
        evaluate_demo(3, only="stage1", **{**files, "inputs": files["motion_model"]})
    with pytest.raises(CheckpointError):
        evaluate_demo(3, only="stage1", **{**files, "motion_model": tmp_path / "nowhere.safetensors"})
    wide = SMGA(SMGAConfig(width=32, ffn=32, layers=1, heads=2, encoder_layers=1, audio_channels=40))
    save_smga(tmp_path / "wide.safetensors", wide, {})
    with pytest.raises(InputError, match="needs wavlm.prosody features"):
        evaluate_demo(3, only="stage1", **{**files, "motion_model": tmp_path / "wide.safetensors"})


def test_the_real_counts_are_what_the_figures_ask_for():
    assert REAL.speech_clips * REAL.windows_per_clip >= demo.ENOUGH_WINDOWS == 200
    assert REAL.identities >= demo.ENOUGH_IDENTITIES == 32
    assert not REAL.quick and QUICK.quick
