"""CONDITIONING of MMGT Apply in nodes that save it, and the copies that hosts and packs make of it."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch

from .running import Executor, load_core_nodes, output_of
from .short import sample_short
from .small_models import write_small_models
from .test_nodes import clip_links, clip_prompt, node


class SaveConditioning:
    """As a node that saves CONDITIONING with torch does."""

    FUNCTION, CATEGORY, RETURN_TYPES, OUTPUT_NODE = "save", "tests", (), True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802 - the host's name
        return {"required": {"conditioning": ("CONDITIONING",)}}

    def save(self, conditioning):
        torch.save(conditioning, io.BytesIO())
        return ()


class LoseConditions(SaveConditioning):
    """As a node that keeps only tensors: what it gives back has lost the clip."""

    FUNCTION, RETURN_TYPES, OUTPUT_NODE = "lose", ("CONDITIONING",), False

    def lose(self, conditioning):
        return ([[tensor, {}] for tensor, _ in conditioning],)


@pytest.fixture
def executor(pack, monkeypatch, tmp_path):
    import nodes

    write_small_models(pack, tmp_path / "mmgt")
    load_core_nodes("nodes_video")
    for cls in (SaveConditioning, LoseConditions):
        monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, cls.__name__, cls)
    return Executor()


def apply_prompt() -> dict:
    return clip_prompt() | {"apply": node("MMGTApply", **clip_links(), steps=1)}


def test_saving_it_ends_in_a_sentence(executor):
    prompt = apply_prompt()
    prompt["save"] = {"class_type": "SaveConditioning", "inputs": {"conditioning": ["apply", 1]}}
    run = executor.run(prompt)
    assert not run.success and "MMGT conditioning cannot be saved" in run.error and run.error.endswith(".\n")


def test_a_conditioning_that_lost_its_clip_ends_in_a_sentence(executor):
    prompt = apply_prompt()
    for slot, name in ((1, "positive"), (2, "negative")):
        prompt[name] = {"class_type": "LoseConditions", "inputs": {"conditioning": ["apply", slot]}}
    prompt["sample"] = node(
        "KSampler",
        model=["apply", 0],
        positive=["positive", 0],
        negative=["negative", 0],
        latent_image=["apply", 3],
        steps=1,
    )
    prompt["decode"] = node("MMGTDecodeVideo", latent=["sample", 0], vae=["video", 2])
    prompt["save"] = node("SaveVideo", video=["decode", 0])
    assert "conditioning does not come from MMGT" in executor.run(prompt).error


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_sampled_as_the_original(pack, video, copied):
    def change(prepared):
        prepared.positive[:], prepared.negative[:] = copied(prepared.positive), copied(prepared.negative)
        for group in (prepared.positive, prepared.negative):
            for _, options in group:
                options["model_conds"] = {k: copied(v) for k, v in options["model_conds"].items()}
        return prepared

    assert torch.equal(sample_short(pack, video, change=change), sample_short(pack, video))


def test_pickle_refuses_it_too(executor):
    assert executor.run(apply_prompt() | {"show": node("PreviewImage", images=["demo", 0])}).success
    prompt = apply_prompt()
    prompt["lose"] = {"class_type": "LoseConditions", "inputs": {"conditioning": ["apply", 1]}}
    prompt["save"] = {"class_type": "SaveConditioning", "inputs": {"conditioning": ["lose", 0]}}
    assert executor.run(prompt).success, "what has no clip can be saved"
    with pytest.raises(Exception, match="cannot be saved"):
        pickle.dumps(output_of(executor, "apply")[1])
