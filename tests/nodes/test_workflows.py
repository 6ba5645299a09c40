"""The API twins of the bundled workflows on the host: all are valid, and they run on small models."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from .running import Executor, load_core_nodes, output_of
from .small_models import MOTION, VIDEO, write_small_models

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows" / "api"
FRAMES = 15
CHEAP = {
    "MMGTLoadMotionModel": {"file": MOTION},
    "MMGTLoadVideoModel": {"file": VIDEO},
    "LoadAudioFeatures": {"duration": FRAMES / 25},
    "KSampler": {"steps": 2},
}


@pytest.fixture(scope="module")
def folder(pack, tmp_path_factory):
    """The host's input folder with the files that the workflows name, all made of the pack's own."""
    import folder_paths

    load_core_nodes("nodes_video", "nodes_custom_sampler", "nodes_audio")
    write_small_models(pack, tmp_path_factory.mktemp("models") / "mmgt")
    inputs, assets = Path(folder_paths.get_input_directory()), pack("mmgt_core.assets")
    try:
        for shipped, name in (
            (assets.PORTRAIT, "portrait.png"),
            (assets.SPEECH, "speech.wav"),
            (assets.POSE, "portrait_pose.json"),
        ):
            shutil.copy(assets.asset(shipped), inputs / name)
    except Exception as error:
        pytest.skip(str(error))
    pose = json.loads((inputs / "portrait_pose.json").read_text(encoding="utf-8"))
    frame = pose[0] if isinstance(pose, list) else pose
    (inputs / "driving_poses.json").write_text(json.dumps([frame] * FRAMES), encoding="utf-8")
    return inputs


def prompt_of(name: str, cheap: bool) -> dict:
    prompt = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for node in prompt.values():
        if cheap:
            node["inputs"].update(CHEAP.get(node["class_type"], {}))
    return prompt


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_runs_on_small_models(folder, name):
    prompt, executor = prompt_of(name, cheap=True), Executor()
    run = executor.run(prompt)
    assert run.success, run.error
    save = next(key for key, node in prompt.items() if node["class_type"] == "SaveVideo")
    assert run.outputs[save]["images"][0]["filename"].endswith(".mp4")
    decode = prompt[save]["inputs"]["video"][0]
    components = output_of(executor, decode)[0].get_components()
    assert components.images.shape[0] == FRAMES and components.images.isfinite().all()


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.json")))
def test_is_valid_as_it_stands(folder, name):
    import execution

    ok, fault, _, node_errors = asyncio.run(
        execution.validate_prompt("test", prompt_of(name, cheap=False), None)
    )
    assert ok, (fault, node_errors)
