"""`mmgt eval-demo` on tiny untrained models: parts, files, resuming, refusals; its bundled file."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from mmgt_core import assets
from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.checkpoints.io import read_model_file, write_model_file
from mmgt_core.checkpoints.smga import save_smga
from mmgt_core.checkpoints.video import save_video_model
from mmgt_core.lab.commands import tables as tables_command
from mmgt_core.lab.commands.eval_demo import Options, run
from mmgt_core.lab.tables.config import read_config
from mmgt_core.lab.tables.presenter_inputs import write_inputs
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.smga.network import SMGA
from mmgt_core.video.config import demo_config
from mmgt_core.video.model import VideoModel

from .quiet import Quiet


@pytest.fixture(scope="module")
def files(tmp_path_factory, presenter_inputs, plan):
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
    few = presenter_inputs.limited(replace(plan, speech_clips=2, identities=1))
    write_inputs(few, folder / "inputs.safetensors")
    return {
        "motion_model": folder / "motion.safetensors",
        "model": folder / "video.safetensors",
        "inputs": folder / "inputs.safetensors",
    }


def evaluated(tmp_path, files, **more):
    """Exit code and JSON of the command."""
    path = tmp_path / "figures.json"
    values = {"seed": 3, "device": "cpu", "json": path, **files, **more}
    code = run(Options(**values), Quiet())  # type: ignore[arg-type]
    return code, json.loads(path.read_text(encoding="utf-8"))


def numbers(found):
    return {figure["name"]: figure["value"] for figure in found["figures"]}


def test_the_whole_command_resumes_and_says_that_it_is_a_smoke_run(files, tmp_path, capsys):
    journal = tmp_path / "journal.jsonl"
    code, first = evaluated(tmp_path, files, quick=True, journal=journal)
    stages = [figure["stage"] for figure in first["figures"]]
    assert stages == ["stage1"] * 8 + ["stage2"] * 15 + ["end-to-end"]
    assert code == 1 and first["quick"] and not first["passed"] and "SMOKE" in capsys.readouterr().out

    lines = journal.read_text().splitlines()
    _, part = evaluated(tmp_path, files, quick=True, journal=journal, only="stage2")
    assert part["figures"] == first["figures"][8:23], "the journal's numbers, not new ones"
    assert journal.read_text().splitlines() == lines


def test_the_bundled_file_measures_the_shipped_models_on_enough_clips():
    config, quick = (
        read_config(assets.asset(assets.EVALUATION)),
        read_config(assets.asset(assets.EVALUATION), quick=True),
    )
    shipped = {"motion": assets.MOTION_MODEL, "video": assets.VIDEO_MODEL}
    for name, file in shipped.items():
        assert assets.asset(file).samefile(config.models[name].file)
    counts = config.presenter
    assert counts.speech_clips * counts.windows_per_clip >= counts.enough_windows == 200
    assert counts.identities >= counts.enough_identities == 32
    assert quick.quick and not config.quick
    assert (quick.presenter.identities, quick.limits) == (3, {**config.limits, "many-steps": 1})
    rows = {row.name for table in config.tables for row in table.rows}
    assert set(config.limits) < rows and len(rows) == sum(len(table.rows) for table in config.tables)


def test_a_note_in_the_header_keeps_a_journal_and_other_weights_do_not(files, tmp_path):
    file = read_model_file(files["motion_model"])
    noted, moved = tmp_path / "noted.safetensors", tmp_path / "moved.safetensors"
    write_model_file(noted, replace(file, provenance={"note": "of the model card"}))
    write_model_file(moved, replace(file, tensors={k: v + 0.01 for k, v in file.tensors.items()}))
    journal, counts, prints = tmp_path / "journal.jsonl", [], []
    for model in (files["motion_model"], noted, moved):
        _, found = evaluated(tmp_path, {**files, "motion_model": model}, only="stage1", journal=journal)
        counts.append(len(journal.read_text().splitlines()))
        prints.append(found["conditions"]["models"]["motion"]["3"])
    assert counts[1] == counts[0] and counts[2] == 2 * counts[0]
    assert prints[0] == prints[1] != prints[2]


def test_too_few_inputs_are_a_smoke_run_however_it_was_called(files, tmp_path):
    _, found = evaluated(tmp_path, files, only="stage1")
    assert found["quick"] and found["conditions"]["speaking_windows"] < 200


def test_tables_run_the_same_file_and_write_a_page_with_the_checks(files, tmp_path):
    """The exit code is that of the floors."""
    text = assets.asset(assets.EVALUATION).read_text(encoding="utf-8")
    for name, given in (("demo_motion", "motion_model"), ("demo_video", "model")):
        assert f'"{name}.safetensors"' in text
        text = text.replace(f'"{name}.safetensors"', f'"{files[given].as_posix()}"')
    text = text.replace("seeds = [0]", "seeds = [3]").replace("[presenter]", "[presenter]\nseed = 3")
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    options = tables_command.Options(tmp_path / "mine.toml", only="stage1", inputs=files["inputs"])
    assert tables_command.run(options, Quiet()) == 1  # type: ignore[arg-type]
    found = json.loads((tmp_path / "eval_demo" / "tables.json").read_text(encoding="utf-8"))
    same = evaluated(tmp_path, files, only="stage1")[1]
    checks = found["gate"]["figures"]
    assert {check["name"]: check["value"] for check in checks} == numbers(same)
    page = (tmp_path / "eval_demo" / "tables.md").read_text(encoding="utf-8")
    assert "miss their floor" in page and "lip aperture, correlation, mean" in page
    assert tables_command.run(replace(options, dry_run=True), Quiet()) == 0  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused_in_words(files, tmp_path):
    with pytest.raises(InputError, match="made for seed 3, not 0"):
        evaluated(tmp_path, files, seed=0, only="stage1")
    with pytest.raises(InputError, match="no table 'stage3'"):
        evaluated(tmp_path, files, only="stage3")
    with pytest.raises(InputError, match="not a file of evaluation inputs"):
        evaluated(tmp_path, {**files, "inputs": files["motion_model"]}, only="stage1")
    with pytest.raises((CheckpointError, InputError)):
        evaluated(tmp_path, {**files, "motion_model": tmp_path / "nowhere.safetensors"}, only="stage1")
    wide = SMGA(SMGAConfig(width=32, ffn=32, layers=1, heads=2, encoder_layers=1, audio_channels=40))
    save_smga(tmp_path / "wide.safetensors", wide, {})
    with pytest.raises(InputError, match="needs wavlm.prosody features"):
        evaluated(tmp_path, {**files, "motion_model": tmp_path / "wide.safetensors"}, only="stage1")
