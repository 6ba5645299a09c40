"""MASK inputs for face, lips and hands, and masks of skeleton images, through the host."""

from __future__ import annotations

import copy

import pytest
import torch

from .given import give  # noqa: F401
from .running import Executor, output_of
from .small_models import write_small_models
from .test_nodes import FRAMES, clip_prompt, node, sampler_prompt


@pytest.fixture(scope="module")
def executor(pack, tmp_path_factory):
    from .running import load_core_nodes

    load_core_nodes("nodes_video", "nodes_mask")
    write_small_models(pack, tmp_path_factory.mktemp("models") / "mmgt")
    return Executor()


def masks_prompt(**inputs) -> dict:
    prompt = clip_prompt()
    prompt["motion"]["inputs"]["pose_frames"] = "512"
    prompt["smga"] = node("MMGTLoadMotionModel", file="demo (built in)")  # a random one distorts the face
    prompt["masks"] = node(
        "MotionMaskFromKeypoints", **{"motion": ["motion", 0], "draw_masks": True, **inputs}
    )
    for slot, name in enumerate(("face", "lips", "hands")):
        prompt[f"image_{name}"] = {"class_type": "MaskToImage", "inputs": {"mask": ["masks", slot]}}
        prompt[f"show_{name}"] = {"class_type": "PreviewImage", "inputs": {"images": [f"image_{name}", 0]}}
    return prompt


def run(executor, prompt):
    done = executor.run(prompt)
    assert done.success, done.error
    return done


def shared(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    a, b = one > 0.5, other > 0.5
    return (a & b).sum((1, 2)) / (a | b).sum((1, 2)).clamp_min(1)


def test_skeleton_images_give_the_masks_of_their_motion(executor):
    run(executor, masks_prompt())
    own = output_of(executor, "masks")
    run(executor, masks_prompt(motion=["motion", 1]))
    drawn = output_of(executor, "masks")
    for slot, least in ((0, 0.8), (1, 0.7)):
        assert drawn[slot].shape == own[slot].shape == (FRAMES, 512, 512)
        assert float(shared(drawn[slot], own[slot]).mean()) > least


def test_own_masks_replace_the_computed_ones(executor, give):  # noqa: F811
    own = torch.zeros(FRAMES, 64, 64)
    own[:, 40:50, 20:44] = 1
    prompt = masks_prompt(lips_mask=["own", 0])
    prompt["own"] = give("MASK", own)
    run(executor, prompt)
    face, lips, _, masks = output_of(executor, "masks")
    expected = torch.nn.functional.interpolate(own[:, None], size=(512, 512))[:, 0]
    assert torch.equal(lips > 0.5, expected > 0.5) and not torch.equal(face, lips)
    assert masks.window([1, 2]).given.lips.shape[0] == 2


def test_own_masks_reach_the_video_and_wrong_ones_end_in_a_sentence(executor, give):  # noqa: F811
    prompt = sampler_prompt(steps=1)
    prompt["masks"] = node("MotionMaskFromKeypoints", motion=["motion", 0])
    prompt["sample"]["inputs"]["masks"] = ["masks", 3]
    run(executor, prompt)
    computed = output_of(executor, "sample")[0]["samples"]
    own = copy.deepcopy(prompt)
    own["own"] = give("MASK", torch.ones(1, 64, 64))
    for region in ("face", "lips", "hands"):
        own["masks"]["inputs"][f"{region}_mask"] = ["own", 0]
    run(executor, own)
    assert (output_of(executor, "sample")[0]["samples"] - computed).abs().max() > 1e-4
    own["own"] = give("MASK", torch.ones(2, 64, 64))
    assert f"2 masks for {FRAMES} frames" in executor.run(own).error
    own["own"] = give("MASK", torch.ones(1, 64, 96))
    assert "mask has 96 x 64 pixels" in executor.run(own).error


def test_skeleton_images_with_sound_are_sampled_with_masks(executor, give):  # noqa: F811
    """The masks found by the sampler itself are those of MMGT Motion Masks; without regions it differs."""
    prompt = sampler_prompt(steps=1)
    prompt["motion"]["inputs"]["pose_frames"] = "512"
    prompt["sample"]["inputs"]["motion"] = ["motion", 1]
    prompt["masks"] = node("MotionMaskFromKeypoints", motion=["motion", 1])
    run(executor, prompt)
    alone = output_of(executor, "sample")[0]["samples"]
    prompt["sample"]["inputs"]["masks"] = ["masks", 3]
    run(executor, prompt)
    assert torch.allclose(output_of(executor, "sample")[0]["samples"], alone, atol=1e-4)
    prompt["own"] = give("MASK", torch.zeros(1, 64, 64))
    for region in ("face", "lips", "hands"):
        prompt["masks"]["inputs"][f"{region}_mask"] = ["own", 0]
    run(executor, prompt)
    assert (output_of(executor, "sample")[0]["samples"] - alone).abs().max() > 1e-3


def test_images_without_a_skeleton_say_so(executor, give):  # noqa: F811
    prompt = masks_prompt(motion=["noise", 0])
    prompt["noise"] = give("IMAGE", torch.full((FRAMES, 64, 64, 3), 0.4))
    assert "no face or hands of a skeleton were found" in executor.run(prompt).error
