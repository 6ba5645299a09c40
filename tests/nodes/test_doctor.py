"""MMGT Doctor through the host: its report and sheet, without diffusers, and Cancel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .missing_library import block
from .released_files import SMALL, small_host_networks, write_released_files
from .running import Executor, hooked_bars, load_core_nodes, output_of
from .test_nodes import node


@pytest.fixture(scope="module")
def executor(pack, tmp_path_factory):
    import folder_paths

    load_core_nodes("nodes_preview_any")
    folder_paths.models_dir, before = str(tmp_path_factory.mktemp("models")), folder_paths.models_dir
    yield Executor()
    folder_paths.models_dir = before


def doctor_prompt(seconds: float = 0.4) -> dict:
    return {
        "doctor": node("MMGTDoctor", seconds=seconds),
        "sheet": {"class_type": "PreviewImage", "inputs": {"images": ["doctor", 1]}},
    }


def out() -> Path:
    import folder_paths

    return Path(folder_paths.get_output_directory()) / "mmgt_doctor"


def test_both_stages_are_examined_without_diffusers(executor):
    import sys

    loaded = block("diffusers")
    try:
        run = executor.run(doctor_prompt())
    finally:
        del sys.modules["diffusers"]
        sys.modules.update(loaded)
    assert run.success, run.error
    text, sheet = output_of(executor, "doctor")
    assert "| host | ComfyUI " in text and "the demo model" in text and "FAULT" not in text, text
    assert "## Stage II: video" in text and "time a frame" in text.partition("## Stage II")[2]
    assert sheet.ndim == 4 and sheet.shape[0] == 1 and 0.05 < float(sheet.mean()) < 0.95
    assert {path.name for path in out().iterdir()} == {"doctor.md", "doctor.json", "doctor.mp4", "doctor.jpg"}
    assert str(out()) not in text and json.loads((out() / "doctor.json").read_text(encoding="utf-8"))
    assert run.outputs["doctor"]["images"][0]["subfolder"] == "mmgt_doctor"
    assert "doctor" in executor.run(doctor_prompt()).executed, "it examines again, although nothing changed"


@pytest.mark.parametrize("after", [1, 20, 40])
def test_cancel_stops_it_at_the_next_update(executor, after):
    import comfy.model_management as management

    updates = []

    def hook(done, total, preview, node_id=None):
        updates.append(done)
        if len(updates) == after:
            management.interrupt_current_processing()

    with hooked_bars(hook):
        run = executor.run(doctor_prompt())
    management.interrupt_current_processing(False)
    assert not run.success and len(updates) <= after + 1


def test_a_broken_file_is_a_fault_and_the_rest_still_runs(executor):
    import folder_paths

    broken = Path(folder_paths.models_dir) / "mmgt" / "audio2pose_best_model.pt"
    broken.parent.mkdir()
    broken.write_bytes(b"not a checkpoint" * 20)
    run = executor.run(doctor_prompt())
    text, _ = output_of(executor, "doctor")
    assert run.success and "FAULT" in text and "## Stage II: video" in text
    assert str(broken.parent) not in text


def test_the_released_files_are_used_where_all_are_there(pack, executor, monkeypatch, tmp_path):
    """Small ones of random numbers, straight at the renderer; their sizes are not those of the registry."""
    write_released_files(pack, tmp_path, SMALL)
    small_host_networks(monkeypatch, pack, tmp_path)
    known = pack("mmgt_core.checkpoints.registry").known_file
    usable = {
        name: tmp_path / known(name).folder / known(name).file
        for name in ("video", "vae", "clip-vision", "wav2vec2")
    }
    assets, renderer_of = pack("mmgt_core.assets"), pack("nodes.comfy.doctor_renderer").HostRenderer
    portrait, pose = (assets.asset(name) for name in assets.PORTRAITS[0])
    renderer = renderer_of(usable, portrait, pack("mmgt_core.pipeline.stages").no_stages)
    assert renderer.config.image_context == "clip" and renderer.config.audio_features == "wav2vec2-base-960h"
    motion = pack("mmgt_core.pose.openpose").read_pose_file(pose).window([0] * 4)
    sampling = pack("mmgt_core.video.sampling").Sampling(width=64, height=64, steps=1)
    frames = renderer.few(motion, sampling)
    assert frames.shape == (4, 64, 64, 3) and 0 <= frames.min() <= frames.max() <= 1
    voice = pack("mmgt_core.media.sound_file").load_waveform(assets.asset(assets.SPEECH), duration=4 / 25)
    output = pack("mmgt_core.pipeline.render").Output(tmp_path / "a.mp4", None, tmp_path / "a.jpg")
    assert all(path.stat().st_size for path in renderer.video(motion, voice, sampling, output))
