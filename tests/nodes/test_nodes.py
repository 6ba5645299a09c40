"""The nodes as the host runs them: from the pack's own portrait and recording to a video, on small random
models.
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch

from .running import Executor, load_core_nodes, output_of
from .small_models import MOTION, SIZE, VIDEO, write_small_models

FRAMES = 15
IDS = {
    "LoadAudioFeatures", "SMGAPoseGenerate", "MotionMaskFromKeypoints", "MMGTSampler", "MMGTApply",
    "MMGTLoadMotionModel", "MMGTLoadVideoModel", "MMGTDetectPose", "MMGTMotionFromPose", "MMGTSaveMotion",
    "MMGTLoadMotion", "MMGTEditMotion", "MMGTDecodeVideo", "MMGTDemoInputs",
    "MMGTLoadPortrait", "MMGTDoctor", "MMGTDrawPose", "MMGTTrimMotion", "MMGTEditPart",
    "MMGTSmoothMotion", "MMGTExportMotion", "MMGTPreviewMotion", "MMGTCropFace", "MMGTSaveToLibrary",
    "MMGTLoadFromLibrary",
}  # fmt: skip


@pytest.fixture(scope="module")
def config(pack, tmp_path_factory):
    try:
        pack("mmgt_core.assets").asset("demo_portrait.png")
    except Exception as error:
        pytest.skip(str(error))
    load_core_nodes("nodes_video", "nodes_custom_sampler")
    return write_small_models(pack, tmp_path_factory.mktemp("models") / "mmgt")


def defaults(node_id: str) -> dict:
    """The widgets of a node at their defaults."""
    import nodes

    found = {}
    for group in nodes.NODE_CLASS_MAPPINGS[node_id].INPUT_TYPES().values():
        for name, (kind, options, *_) in ((n, (*spec, {})) for n, spec in group.items()):
            if isinstance(kind, list):
                found[name] = options.get("default", kind[0])
            elif isinstance(options, dict) and "default" in options:
                found[name] = options["default"]
            elif kind == "COMBO":
                found[name] = options["options"][0]
    return found


def node(node_id: str, **inputs) -> dict:
    return {"class_type": node_id, "inputs": defaults(node_id) | inputs}


def clip_prompt() -> dict:
    """Everything up to the nodes that sample."""
    return {
        "demo": node("MMGTDemoInputs"),
        "speech": node("LoadAudioFeatures", audio=["demo", 2], duration=FRAMES / 25),
        "smga": node("MMGTLoadMotionModel", file=MOTION),
        "motion": node(
            "SMGAPoseGenerate",
            motion_model=["smga", 0],
            audio_features=["speech", 0],
            pose=["demo", 1],
            seed=1,
        ),
        "video": node("MMGTLoadVideoModel", file=VIDEO),
    }


def clip_links() -> dict:
    return {
        "model": ["video", 1],
        "video_model": ["video", 0],
        "vae": ["video", 2],
        "portrait": ["demo", 0],
        "motion": ["motion", 0],
        "audio_features": ["speech", 0],
    }


def sampler_prompt(**choices) -> dict:
    prompt = clip_prompt()
    prompt["sample"] = node("MMGTSampler", **(clip_links() | choices))
    prompt["decode"] = node("MMGTDecodeVideo", latent=["sample", 0], vae=["video", 2], audio=["speech", 3])
    prompt["save"] = {
        "class_type": "SaveVideo",
        "inputs": {"video": ["decode", 0], "filename_prefix": "t", "format": "auto", "codec": "auto"},
    }
    return prompt


@pytest.fixture(scope="module")
def executor(config):
    return Executor()


def test_every_node_is_there_and_explains_itself(pack):
    import nodes

    ours = {name: cls for name, cls in nodes.NODE_CLASS_MAPPINGS.items() if cls in pack("nodes").NODES}
    assert set(ours) == IDS
    for name, cls in ours.items():
        schema = cls.define_schema()
        assert schema.category == "MMGT" and schema.description.endswith("."), name
        assert schema.display_name.startswith("MMGT "), name
        assert all(given.tooltip.endswith(".") for given in schema.inputs), name
        assert all(given.tooltip.endswith(".") for given in schema.outputs if given.tooltip), name


def test_weights_and_windows_stand_behind_show_advanced_inputs(config):
    import nodes

    for node_id in ("MMGTSampler", "MMGTApply"):
        given = nodes.NODE_CLASS_MAPPINGS[node_id].INPUT_TYPES()
        inputs = {**given["required"], **given["optional"]}
        assert {name for name, (_, *options) in inputs.items() if options and options[0].get("advanced")} == {
            "pose_weight", "face_weight", "lip_weight", "full_mask",
            "window", "overlap", "window_ends", "windows_at_once", "window_fusion", "pose_style",
        }  # fmt: skip


def test_portrait_and_speech_become_a_video_with_sound(config, executor):
    import av
    import folder_paths

    run = executor.run(sampler_prompt())
    assert run.success, run.error
    saved = run.outputs["save"]["images"][0]
    path = f"{folder_paths.get_output_directory()}/{saved['subfolder']}/{saved['filename']}"
    with av.open(path) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video)]
        assert len(frames) == FRAMES and frames[0].shape == (SIZE, SIZE, 3)
        assert video.average_rate == 25 and audio.sample_rate > 0
    assert run.outputs["motion"]["images"][0]["filename"].endswith(".webp")
    samples = output_of(executor, "sample")[0]["samples"]
    assert samples.shape == (FRAMES, 4, SIZE // 8, SIZE // 8) and samples.isfinite().all()

    again = sampler_prompt(seed=7)
    run = executor.run(again)
    assert run.success, run.error
    assert set(run.executed) == {"sample", "decode", "save"}, (
        "another seed re-runs neither Stage I nor loading"
    )
    assert not (output_of(executor, "sample")[0]["samples"] == samples).all()


def test_apply_and_a_stock_ksampler_agree_with_the_sampler(config, executor):
    """The same noise through MMGTApply and the host's KSampler node."""
    prompt = sampler_prompt(sampler="euler", seed=5, steps=2, cfg=1.5)
    prompt["apply"] = node("MMGTApply", **clip_links(), steps=2)
    prompt["ksampler"] = {
        "class_type": "KSampler",
        "inputs": {
            "model": ["apply", 0], "positive": ["apply", 1], "negative": ["apply", 2],
            "latent_image": ["apply", 3],
            "seed": 5, "steps": 2, "cfg": 1.5, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0,
        },
    }  # fmt: skip
    prompt["ks_decode"] = node("MMGTDecodeVideo", latent=["ksampler", 0], vae=["video", 2])
    prompt["ks_save"] = copy.deepcopy(prompt["save"])
    prompt["ks_save"]["inputs"]["video"] = ["ks_decode", 0]
    run = executor.run(prompt)
    assert run.success, run.error
    ours, theirs = (output_of(executor, name)[0]["samples"] for name in ("sample", "ksampler"))
    assert (ours - theirs).abs().max() < 1e-4


def test_drawn_skeletons_do_as_well_as_the_motion(config, executor):
    """The same clip from pose frames as IMAGE: without masks of its own, so both go without sound."""
    prompt = sampler_prompt(steps=1)
    prompt["motion"]["inputs"]["pose_frames"] = "512"
    del prompt["sample"]["inputs"]["audio_features"]
    prompt["drawn"] = copy.deepcopy(prompt["sample"])
    prompt["drawn"]["inputs"]["motion"] = ["motion", 1]
    prompt["decode"]["inputs"]["latent"] = ["drawn", 0]
    prompt["show"] = copy.deepcopy(prompt["save"])
    prompt["second"] = copy.deepcopy(prompt["decode"])
    prompt["second"]["inputs"]["latent"], prompt["show"]["inputs"]["video"] = ["sample", 0], ["second", 0]
    run = executor.run(prompt)
    assert run.success, run.error
    drawn, own = (output_of(executor, name)[0]["samples"] for name in ("drawn", "sample"))
    # Drawn at 128 pixels by area averaging, or reduced from 512 by Lanczos: close (0.096 measured).
    assert float((drawn - own).norm() / own.norm()) < 0.2


WRONG = [
    ({"portrait": ["batch", 0]}, "this is a batch of 2 images"),
    ({"width": 100}, "multiples of 64"),
    ({"steps": -1}, None),
    ({"window": 8, "overlap": 8}, "window 8 with overlap 8"),
    ({"masks": ["masks", 3]}, "the masks have 1 frames, but the motion has 15"),
]


@pytest.mark.parametrize(("choices", "text"), WRONG)
def test_wrong_inputs_fail_with_a_sentence(config, executor, choices, text):
    prompt = sampler_prompt(**choices)
    prompt["batch"] = {"class_type": "ImageBatch", "inputs": {"image1": ["demo", 0], "image2": ["demo", 0]}}
    prompt["masks"] = node("MotionMaskFromKeypoints", motion=["demo", 1])
    if text is None:
        with pytest.raises(AssertionError, match="value_smaller_than_min"):
            executor.run(prompt)
        return
    run = executor.run(prompt)
    assert not run.success and text in run.error and run.error.rstrip().endswith(".")


def test_bad_recordings_and_poses_fail_with_a_sentence(pack):
    """Straight at the nodes: the host has no way to make such inputs."""
    listen = pack("nodes.audio_features").LoadAudioFeatures.execute
    settings = {"start": 0.0, "duration": 0.0, "silence_gate": True}
    with pytest.raises(Exception, match="the audio is empty"):
        listen(audio={"waveform": torch.zeros(1, 2, 0), "sample_rate": 44_100}, **settings)
    with pytest.raises(Exception, match="a batch of 2 recordings"):
        listen(audio={"waveform": torch.zeros(2, 1, 44_100), "sample_rate": 44_100}, **settings)
    poses = pack("nodes.motion_files")
    nobody = [{"canvas_width": 64, "canvas_height": 64, "people": []}]
    with pytest.raises(Exception, match="holds no person"):
        poses.MMGTMotionFromPose.execute(file="none", person=-1, pose_keypoint=nobody)


def test_a_blocked_output_names_the_widget_that_enables_it(config, executor):
    prompt = clip_prompt()
    prompt["show"] = {"class_type": "PreviewImage", "inputs": {"images": ["motion", 1]}}
    run = executor.run(prompt)
    assert "choose a size for pose_frames" in run.error and "show" not in run.outputs


def test_poses_come_back_as_they_were_saved(config, executor, pack):
    import folder_paths

    prompt = clip_prompt()
    prompt["save"] = node("MMGTSaveMotion", motion=["motion", 0])
    run = executor.run(prompt)
    assert run.success, run.error
    saved = next(Path(folder_paths.get_output_directory()).rglob("motion_*.safetensors"))
    shutil.copy(saved, Path(folder_paths.get_input_directory()) / saved.name)
    load = pack("nodes.motion_files").MMGTLoadMotion
    assert load.define_schema().inputs[0].options == [saved.name]
    loaded, motion = load.execute(saved.name).args[0], output_of(executor, "motion")[0]
    assert torch.equal(loaded.keypoints, motion.keypoints) and loaded.frames == FRAMES


@pytest.mark.parametrize("language", ["en", "zh"])
def test_locales_name_every_node_input_and_output(pack, language):
    path = Path(__file__).resolve().parents[2] / "locales" / language / "nodeDefs.json"
    texts = json.loads(path.read_text(encoding="utf-8"))
    assert set(texts) == IDS
    for cls in pack("nodes").NODES:
        schema = cls.define_schema()
        entry = texts[schema.node_id]
        assert list(entry["outputs"]) == [str(number) for number in range(len(schema.outputs))]
        assert set(entry["inputs"]) == {given.id for given in schema.inputs}
        if language == "en":
            assert entry["description"] == schema.description and entry["display_name"] == schema.display_name
            for given in schema.inputs:
                assert entry["inputs"][given.id] == {
                    "name": given.display_name or given.id,
                    "tooltip": given.tooltip,
                }
        else:
            translated = [text for given in entry["inputs"].values() for text in given.values()]
            assert all(translated), "nothing is left untranslated"
