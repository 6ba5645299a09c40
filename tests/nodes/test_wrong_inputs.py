"""Wrong inputs fail with one sentence that names the fix, as the host reports a failed node."""

from __future__ import annotations

import re

import pytest
import torch

from .given import clip_vision_of, give, unet_of, wants_clip  # noqa: F401 - a fixture
from .running import Executor, load_core_nodes
from .small_models import SIZE, VIDEO, write_small_models
from .test_nodes import clip_links, clip_prompt, node

FRAMES, LOOKING = 5, "looking.safetensors"


@pytest.fixture(scope="module")
def config(pack, tmp_path_factory):
    """Small models where the loaders list them, one of them with CLIP; the configuration of the other."""
    load_core_nodes("nodes_audio")
    folder = tmp_path_factory.mktemp("models") / "mmgt"
    config = write_small_models(pack, folder)
    io = pack("mmgt_core.checkpoints.io")
    file = io.read_model_file(folder / VIDEO)
    io.write_model_file(
        folder / LOOKING, io.ModelFile("video", io.config_to_json(wants_clip(config)), file.tensors)
    )
    return config


@pytest.fixture(scope="module")
def executor(config):
    return Executor()


def prompt(**choices) -> dict:
    """A sampling of the portrait's pose for a few frames, changed by the choices."""
    wanted = clip_prompt()
    wanted["speech"]["inputs"]["duration"] = FRAMES / 25
    wanted["sample"] = node("MMGTSampler", **(clip_links() | {"decode": True} | choices))
    wanted["sample"]["inputs"].update(motion=choices.get("motion", ["demo", 1]))
    wanted["sample"]["inputs"].pop("audio_features") if "audio_features" not in choices else None
    wanted["show"] = {"class_type": "PreviewImage", "inputs": {"images": ["sample", 1]}}
    return wanted


def error_of(executor, wanted: dict) -> str:
    """The sentence that the host shows; it names a fix and no shapes of tensors."""
    run = executor.run(wanted)
    assert not run.success
    sentence = run.error.strip()
    assert "\n" not in sentence and sentence.endswith(".") and "; " in sentence, sentence
    assert not re.search(r"mat1|size mismatch|torch\.|Error|Traceback", sentence), sentence
    return sentence


def test_the_prompt_runs_as_it_stands(config, executor):
    run = executor.run(prompt())
    assert run.success, run.error
    assert run.outputs["show"]["images"]


@pytest.mark.parametrize("kind", ["SDXL", "SD2", "inpainting", "SD1.5"])
@pytest.mark.parametrize("node_id", ["MMGTSampler", pytest.param("MMGTApply", marks=pytest.mark.slow)])
def test_a_model_of_another_family(pack, config, executor, give, kind, node_id):  # noqa: F811
    wanted = prompt(model=["other", 0])
    wanted["other"] = give("MODEL", unet_of(pack, config, kind))
    if node_id == "MMGTApply":
        keep = ("seed", "cfg", "sampler", "decode", "keep_work")
        inputs = {name: value for name, value in wanted["sample"]["inputs"].items() if name not in keep}
        wanted["sample"] = {"class_type": node_id, "inputs": inputs}
        wanted["show"] = {
            "class_type": "SaveLatent",
            "inputs": {"samples": ["sample", 3], "filename_prefix": "t"},
        }
    sentence = error_of(executor, wanted)
    assert kind in sentence and "MMGT Load Video Model" in sentence


def test_a_model_without_a_unet(pack, config, executor, give):  # noqa: F811
    other = unet_of(pack, config, "SD2")
    other.model.diffusion_model = torch.nn.Linear(1, 1)
    wanted = prompt(model=["other", 0])
    wanted["other"] = give("MODEL", other)
    assert "not a Stable Diffusion UNet" in error_of(executor, wanted)


def test_clip_vision(config, executor, give):  # noqa: F811
    looking = prompt()
    looking["video"]["inputs"]["file"] = LOOKING
    assert "connect CLIPVisionLoader" in error_of(executor, looking)
    looking["sample"]["inputs"]["clip_vision"] = ["eyes", 0]
    looking["eyes"] = give("CLIP_VISION", clip_vision_of(config.cross_dim + 16))
    assert "ViT-L/14" in error_of(executor, looking)
    looking["eyes"] = give("CLIP_VISION", clip_vision_of(config.cross_dim))
    run = executor.run(looking)
    assert run.success, run.error


def test_a_vae_of_another_family(pack, config, executor, give):  # noqa: F811
    class OtherVAE:
        def encode(self, pixels):
            return torch.zeros(1, 16, SIZE // 8, SIZE // 8)

    wanted = prompt(vae=["other", 0])
    wanted["other"] = give("VAE", OtherVAE())
    assert "vae-ft-mse" in error_of(executor, wanted)


def test_masks_of_another_length(pack, config, executor, give):  # noqa: F811
    wanted = prompt(motion=["long", 0], masks=["masks", 3])
    motion = pack("mmgt_core.pose.motion").Motion(torch.full((15, 134, 3), 0.5), 512, 512)
    wanted["long"] = give("MMGT_MOTION", motion)
    wanted["masks"] = node("MotionMaskFromKeypoints", motion=["demo", 1])
    assert "the masks have 1 frames" in error_of(executor, wanted)


@pytest.mark.parametrize("where", ["sample", "motion", "masks"])
def test_a_pose_without_a_person(config, executor, give, where):  # noqa: F811
    wanted = prompt(motion=["nobody", 0])
    wanted["nobody"] = give("POSE_KEYPOINT", [{"canvas_width": 64, "canvas_height": 64, "people": []}] * 2)
    if where == "motion":
        wanted["sample"]["inputs"]["motion"] = ["motion", 0]
        wanted["motion"]["inputs"]["pose"] = ["nobody", 0]
    if where == "masks":
        wanted["sample"]["inputs"] |= {"motion": ["demo", 1], "masks": ["masks", 3]}
        wanted["masks"] = node("MotionMaskFromKeypoints", motion=["nobody", 0])
    assert "person" in error_of(executor, wanted)


def test_an_empty_recording(config, executor):
    wanted = prompt(audio_features=["speech", 0])
    wanted["silence"] = {
        "class_type": "EmptyAudio",
        "inputs": {"duration": 0.0, "sample_rate": 44_100, "channels": 1},
    }
    wanted["speech"]["inputs"]["audio"] = ["silence", 0]
    assert "the audio is empty" in error_of(executor, wanted)


def test_two_portraits(config, executor):
    wanted = prompt(portrait=["two", 0])
    wanted["two"] = {"class_type": "ImageBatch", "inputs": {"image1": ["demo", 0], "image2": ["demo", 0]}}
    assert "a batch of 2 images" in error_of(executor, wanted) and "ImageFromBatch" in error_of(
        executor, wanted
    )


def test_steps(config, executor, give):  # noqa: F811
    """0 is the model's own number; a link may bring what no widget allows."""
    for steps, text in ((-1, "-1 sampling steps"), (2000, "2000 sampling steps")):
        wanted = prompt(steps=["steps", 0])
        wanted["steps"] = give("INT", steps)
        sentence = error_of(executor, wanted)
        assert text in sentence and "choose 1 to 1000" in sentence
    assert executor.run(prompt(steps=0)).success


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ({"width": 100}, "multiples of 64"),
        ({"window": 8, "overlap": 8}, "window 8 with overlap 8"),
        ({"cfg": ["number", 0]}, "guidance"),
    ],
)
def test_numbers_that_cannot_work(config, executor, give, choices, text):  # noqa: F811
    wanted = prompt(**choices)
    wanted["number"] = give("FLOAT", -2.0)
    assert text in error_of(executor, wanted)
