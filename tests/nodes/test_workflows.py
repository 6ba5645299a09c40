"""The API twins of the bundled workflows on the host: all are valid, and they run on small models."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .released_files import (
    FULL,
    SMALL,
    forget_lists,
    show_to_host,
    small_host_networks,
    write_released_files,
)
from .running import Executor, load_core_nodes, output_of
from .small_models import MOTION, SIZE, VIDEO, write_small_models

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows" / "api"
EVERY = sorted(path.stem for path in FOLDER.glob("*.json"))
PUBLISHED = [name for name in EVERY if name.startswith("published_")]
OTHERS = [name for name in EVERY if name.startswith("gestures_to_")]  # in test_gesture_workflows.py
NAMES = [name for name in EVERY if name not in (*PUBLISHED, *OTHERS, "motion_only")]
FRAMES = 10
CHEAP = {
    "MMGTLoadMotionModel": {"file": MOTION},
    "MMGTLoadVideoModel": {"file": VIDEO},
    "LoadAudioFeatures": {"duration": FRAMES / 25},
    "KSampler": {"steps": 2},
}
CHEAP_PUBLISHED = {
    "LoadAudioFeatures": {"duration": FRAMES / 25},
    "SMGAPoseGenerate": {"steps": 2},
    "MMGTSampler": {"steps": 2, "width": SIZE, "height": SIZE, "window": 6, "overlap": 2},
}
"""The files stay those that the workflow names; FRAMES take two windows."""


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
    write_driving_video(pack, inputs)
    return inputs


def write_driving_video(pack: Any, inputs: Path) -> None:
    """driving.mp4, in which the shipped portrait sits still and speaks, and its poses as OpenPose JSON."""
    import numpy as np

    picture = pack("mmgt_core.media.images").load_image(inputs / "portrait.png")
    sound = pack("mmgt_core.media.sound_file").load_waveform(inputs / "speech.wav").cut(0, FRAMES / 25)
    frames = np.repeat(picture[None], FRAMES, axis=0)
    height, width = picture.shape[:2]
    writer = pack("mmgt_core.media.video_writer").VideoWriter
    with writer(inputs / "driving.mp4", width, height, audio=sound) as video:
        video.write(frames)
    pose = json.loads((inputs / "portrait_pose.json").read_text(encoding="utf-8"))
    frame = pose[0] if isinstance(pose, list) else pose
    (inputs / "driving_poses.json").write_text(json.dumps([frame] * FRAMES), encoding="utf-8")


def prompt_of(name: str, cheap: bool) -> dict[str, Any]:
    prompt = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for node in prompt.values():
        if cheap:
            changes = CHEAP_PUBLISHED if name in PUBLISHED else CHEAP
            node["inputs"].update(changes.get(node["class_type"], {}))
    return with_known_poses(prompt) if cheap else prompt


def with_known_poses(prompt: dict[str, Any]) -> dict[str, Any]:
    """The detector's networks are no part of the pack: its nodes get the poses as from another pack."""
    for key in [key for key, node in prompt.items() if node["class_type"] == "MMGTDetectPose"]:
        source = prompt[prompt[key]["inputs"]["image"][0]]["class_type"]
        file = {"LoadImage": "portrait_pose.json", "LoadVideo": "driving_poses.json"}[source]
        prompt[f"{key}p"] = {"class_type": "MMGTMotionFromPose", "inputs": {"file": file, "person": -1}}
        prompt[key]["inputs"]["pose_keypoint"] = [f"{key}p", 1]
    return prompt


def without_sound(prompt: dict[str, Any]) -> dict[str, Any]:
    """As when MMGT Audio Features is bypassed: without audio features, and the video is silent."""
    features = next(key for key, node in prompt.items() if node["class_type"] == "LoadAudioFeatures")
    del prompt[features]
    for node in prompt.values():
        node["inputs"] = {
            name: value
            for name, value in node["inputs"].items()
            if not (isinstance(value, list) and value[0] == features)
        }
    return prompt


def made_by(prompt: dict[str, Any]) -> Any:
    """Run a prompt -> the components of the one video that it saves."""
    executor = Executor()
    run = executor.run(prompt)
    assert run.success, run.error
    save = next(key for key, node in prompt.items() if node["class_type"] == "SaveVideo")
    assert run.outputs[save]["images"][0]["filename"].endswith(".mp4")
    return output_of(executor, prompt[save]["inputs"]["video"][0])[0].get_components()


@pytest.mark.parametrize("name", NAMES)
def test_runs_on_small_models(folder, name):
    components = made_by(prompt_of(name, cheap=True))
    assert components.images.shape[0] == FRAMES and components.images.isfinite().all()
    assert components.audio["waveform"].shape[-1] / components.audio["sample_rate"] == pytest.approx(
        FRAMES / 25, abs=0.04
    )


def test_a_driving_video_drives_without_sound_too(folder):
    components = made_by(without_sound(prompt_of("driving_video", cheap=True)))
    assert components.images.shape[0] == FRAMES and components.audio is None


@pytest.mark.parametrize("name", NAMES)
def test_is_valid_as_it_stands(folder, name):
    ok, *faults = validated(prompt_of(name, cheap=False))
    assert ok, faults


def validated(prompt: dict[str, Any]) -> tuple[bool, Any, dict[str, Any]]:
    """Whether the host would queue it, what it says otherwise, and what it says of each node."""
    import execution

    ok, fault, _, node_errors = asyncio.run(execution.validate_prompt("test", prompt, None))
    return ok, fault, node_errors


@pytest.fixture(scope="module")
def small_files(pack, folder, tmp_path_factory):
    """A models folder with every released file, small."""
    models = tmp_path_factory.mktemp("released")
    write_released_files(pack, models, SMALL)
    return models


@pytest.fixture
def released(pack, small_files, monkeypatch, tmp_path):
    """The host has the small files where a person puts the released ones, and takes their sizes."""
    show_to_host(monkeypatch, small_files)
    small_host_networks(monkeypatch, pack, tmp_path)
    yield
    forget_lists()


@pytest.mark.parametrize("name", PUBLISHED)
def test_runs_on_files_of_the_released_names_and_kinds(released, name):
    components = made_by(prompt_of(name, cheap=True))
    assert components.images.shape[0] == FRAMES and components.images.isfinite().all()
    assert components.images.std() > 0.01
    assert components.audio["waveform"].shape[-1] / components.audio["sample_rate"] == pytest.approx(
        FRAMES / 25, abs=0.04
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_is_valid_as_it_stands_with_the_released_files(released, name):
    ok, *faults = validated(prompt_of(name, cheap=False))
    assert ok, faults


@pytest.mark.parametrize("name", PUBLISHED)
def test_without_the_released_files_the_host_names_each(folder, monkeypatch, tmp_path, name):
    show_to_host(monkeypatch, tmp_path)
    prompt = prompt_of(name, cheap=False)
    ok, _, node_errors = validated(prompt)
    forget_lists()
    assert not ok
    files = {
        (key, value)
        for key, node in prompt.items()
        for value in node["inputs"].values()
        if isinstance(value, str) and value.endswith((".pt", ".pth", ".bin", ".safetensors"))
    }
    assert len(files) == (4 if "driving" in name else 6)
    for key, file in files:
        assert file in json.dumps(node_errors[key]["errors"]), file


@pytest.mark.slow
def test_runs_once_at_full_size(pack, folder, monkeypatch, tmp_path):
    """Random weights of the published sizes: 7 GB of disk, 12 GiB of memory, 2 minutes on two CPU cores."""
    write_released_files(pack, tmp_path, FULL)
    show_to_host(monkeypatch, tmp_path)
    prompt = prompt_of("published_portrait_and_audio", cheap=True)
    for node in prompt.values():
        if node["class_type"] == "MMGTLoadVideoModel":
            node["inputs"]["weight_dtype"] = "bf16"
        if node["class_type"] == "MMGTSampler":
            node["inputs"].update(steps=1, window=0, overlap=-1)
    components = made_by(prompt)
    forget_lists()
    assert components.images.shape[0] == FRAMES and components.images.isfinite().all()
    assert components.images.std() > 0.01
