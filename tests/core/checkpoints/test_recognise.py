"""Wrong files are told by what they are, from names and shapes alone."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from mmgt_core.base.errors import CheckpointError
from mmgt_core.checkpoints.recognise import LOOKS, recognise
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.checkpoints.video_parts import split

TIME = "down_blocks.0.motion_modules.0.temporal_transformer."
POSITIONS = TIME + "transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
CONTEXT = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
PATCH = "vision_model.embeddings.patch_embedding.weight"

OTHERS = {
    "a LoRA": {"lora_unet_down_blocks_0.lora_down.weight": (4, 8)},
    "a speaker adapter": {"video.mid.to_q.lora_A.weight": (2, 8), "video.mid.to_q.lora_B.weight": (8, 2)},
    "AnimateDiff's motion modules, version 1": {
        TIME + "proj_in.weight": (4, 4), POSITIONS: (1, 24, 4), "down_blocks.3.motion_modules.0.x": (1,)
    },
    "AnimateDiff's motion modules, version 3": {
        TIME + "proj_in.weight": (4, 4), POSITIONS: (1, 32, 4), "down_blocks.3.motion_modules.0.x": (1,)
    },
    "AnimateDiff's motion modules for SDXL": {TIME + "proj_in.weight": (4, 4), POSITIONS: (1, 32, 4)},
    "a ControlNet": {"controlnet_cond_embedding.conv_in.bias": (4,), "conv_in.weight": (4, 4, 3, 3)},
    "a UNet of SD2": {"conv_in.weight": (4, 4, 3, 3), CONTEXT: (4, 1024)},
    "an inpainting UNet of SD1.5": {"conv_in.weight": (4, 9, 3, 3), CONTEXT: (4, 768)},
    "a UNet of SDXL": {"conv_in.weight": (4, 4, 3, 3), "add_embedding.linear_1.weight": (4, 4)},
    "a VAE": {"encoder.conv_in.weight": (4, 3, 3, 3), "decoder.conv_in.weight": (4, 4, 3, 3)},
    "a VAE with 16 latent channels": {
        "encoder.conv_in.weight": (4, 3, 3, 3), "decoder.conv_in.weight": (4, 16, 3, 3)
    },
    "the CLIP vision encoder ViT-H/14": {PATCH: (1280, 3, 14, 14)},
    "the CLIP vision encoder ViT-L/14": {PATCH: (1024, 3, 14, 14)},
    "a whole Stable Diffusion checkpoint": {"model.diffusion_model.b": (4,), "first_stage_model.x": (1,)},
    "wav2vec2 as transformers names it": {"wav2vec2.feature_projection.projection.weight": (8, 5)},
}  # fmt: skip


@pytest.mark.parametrize("title", OTHERS)
@pytest.mark.parametrize("loader", [load_smga, load_video_model])
def test_another_model_is_named_by_the_loaders(title, loader, tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in OTHERS[title].items()}, path)
    with pytest.raises(CheckpointError, match=f"this is {title}, not a"):
        loader(path)


def test_each_stage_names_the_others_file(video_file, motion_checkpoint, tmp_path):
    torch.save(motion_checkpoint, tmp_path / "motion.pt")
    with pytest.raises(CheckpointError, match="this is a Stage I .*, not a Stage II"):
        load_video_model(tmp_path / "motion.pt")
    with pytest.raises(CheckpointError, match="this is a whole Stage II video model, not an SMGA"):
        load_smga(video_file)


def test_our_own_kinds_are_told_apart(video_state, motion_state, wavlm_state):
    parts = split(video_state)
    guider = {
        n.removeprefix("pose_guider."): t for n, t in video_state.items() if n.startswith("pose_guider.")
    }
    found = {kind: recognise(tensors).kind for kind, tensors in parts.items()}
    assert found == {kind: kind for kind in parts}
    assert recognise(video_state).kind == "video"
    assert recognise(motion_state).kind == "smga"
    assert recognise(guider).kind == "pose_guider"
    assert recognise(wavlm_state).kind == "wavlm_original"


def test_a_file_unlike_all_is_not_guessed():
    assert recognise({}) is None
    assert recognise({"weight": torch.zeros(1)}) is None


def test_every_row_can_be_the_answer():
    """A row that an earlier one always hides would never be seen."""
    for look in LOOKS:
        tensors = {}
        for pattern in look.has:
            tensors[pattern.strip("*") + ("x" if pattern.endswith(("*", ".")) else "")] = torch.zeros(4, 4, 4)
        for name, axis, size in look.sizes:
            shape = list(tensors.get(name, torch.zeros(4, 4, 4)).shape)
            shape[axis] = size
            tensors[name] = torch.zeros(shape)
        if "temporal_transformer" in str(look.has) and "SDXL" not in look.title:
            tensors["down_blocks.3.x"] = torch.zeros(1)
        found = recognise(tensors)
        assert found is not None and found.title == look.title, (look.title, found)
