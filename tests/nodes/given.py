"""Test nodes that hand any object into a prompt, as another pack's node would."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch

GIVEN: dict[str, Any] = {}
_COUNT = itertools.count()  # every object is another input for the host's cache


@pytest.fixture
def give():
    """Function: socket type, object -> a node for a prompt whose output 0 is the object."""
    import nodes

    registered = []

    def make(kind: str, value: Any) -> dict[str, Any]:
        name, key = f"TestGive{kind}", f"{kind} {next(_COUNT)}"
        GIVEN[key] = value
        if name not in nodes.NODE_CLASS_MAPPINGS:
            registered.append(name)
            nodes.NODE_CLASS_MAPPINGS[name] = type(name, (_Give,), {"RETURN_TYPES": (kind,)})
        return {"class_type": name, "inputs": {"key": key}}

    yield make
    for name in registered:
        del nodes.NODE_CLASS_MAPPINGS[name]
    GIVEN.clear()


class _Give:
    FUNCTION, CATEGORY = "give", "tests"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - the host's name
        return {"required": {"key": ("STRING", {})}}

    def give(self, key: str) -> tuple[Any]:
        return (GIVEN[key],)


def unet_of(pack, config: Any, kind: str) -> Any:
    """A MODEL of another family, with the host's own description of it and no weights."""
    import comfy.model_base
    import comfy.model_patcher
    import comfy.supported_models

    own = pack("nodes.comfy.sites").unet_settings(config) | {"dtype": torch.float32}
    depth = [0, 0, 2, 2, 10, 10]
    sdxl = {"channel_mult": [1, 2, 4], "num_res_blocks": [2, 2, 2], "transformer_depth": depth,
            "transformer_depth_middle": 10, "transformer_depth_output": [0, 0, 0, 2, 2, 2, 10, 10, 10],
            "context_dim": 2048, "use_linear_in_transformer": True, "num_classes": "sequential",
            "adm_in_channels": 2816, "model_channels": 320}  # fmt: skip
    changes, family = {
        "SDXL": (sdxl, comfy.supported_models.SDXL),
        "SD2": ({"context_dim": 1024, "model_channels": 320}, comfy.supported_models.SD20),
        "inpainting": ({"in_channels": 9}, comfy.supported_models.SD15),
        "SD1.5": ({"context_dim": 768, "model_channels": 320}, comfy.supported_models.SD15),
    }[kind]
    description = family(own | changes)
    description.unet_config.setdefault("num_heads", 8)
    description.set_inference_dtype(torch.float32, None)
    model = comfy.model_base.BaseModel(description, device=torch.device("meta"))
    return comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))


def clip_vision_of(width: int) -> Any:
    """A small CLIP_VISION of random numbers whose vectors are `width` long."""
    import json

    import comfy.clip_vision

    folder = comfy.clip_vision.__file__.rpartition("/")[0]
    with open(f"{folder}/clip_vision_config_vitl.json", encoding="utf-8") as file:
        config = json.load(file)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2}
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config | small | {"projection_dim": width}, file)
        file.flush()
        vision = comfy.clip_vision.ClipVisionModel(file.name)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in vision.model.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return vision


def wants_clip(config: Any) -> Any:
    """The same sizes for a video model that looks at the portrait through CLIP."""
    return dataclasses.replace(config, image_context="clip")
