"""The host's loader on a video model as published and in parts; the host's own loader on the plain UNet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from .tiny import tiny_tensors, write_tiny


def same(a, b) -> bool:
    """The same weights; the noise schedule is swapped while a model is loaded for sampling."""
    a, b = (
        {name: tensor for name, tensor in patcher.model.state_dict().items() if "model_sampling" not in name}
        for patcher in (a, b)
    )
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def ours(pack, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "tiny.safetensors"
    write_tiny(pack, path)
    return path


def test_a_torch_checkpoint_loads_without_conversion(pack, video, tmp_path):
    torch.save(tiny_tensors(pack)[0], tmp_path / "net-32500.pth")
    read = pack("nodes.comfy.load_video_model").load_host_video_model(
        tmp_path / "net-32500.pth", torch.float32
    )
    assert all(same(getattr(read, part), getattr(video, part)) for part in ("adapter", "reference", "model"))


def test_a_model_in_parts_gives_all_but_the_unet(pack, video, ours, tmp_path):
    pack("mmgt_core.checkpoints.convert").convert(ours, tmp_path, in_parts=True)
    read = pack("nodes.comfy.load_video_model").load_host_video_model(
        tmp_path / "tiny_adapter.safetensors", torch.float32
    )
    assert read.model is None and same(read.adapter, video.adapter) and same(read.reference, video.reference)


def test_a_payload_is_refused_by_both_loaders(pack, tmp_path):
    import os

    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"a": torch.zeros(1), "b": Payload()}, tmp_path / "bad.pth")
    error = pack("mmgt_core.base.errors").CheckpointError
    for module, name in (
        ("nodes.comfy.load_video_model", "load_host_video_model"),
        ("mmgt_core.checkpoints.smga", "load_smga"),
    ):
        with pytest.raises(error, match="could run code"):
            getattr(pack(module), name)(tmp_path / "bad.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_the_hosts_own_loader_opens_the_plain_unet(pack, tmp_path):
    """At full size, because the host tells SD1.5 by its widths; about 2 GB of memory and disk."""
    import comfy.sd

    shapes = pack("mmgt_core.checkpoints.video_keys").official_shapes
    config = pack("mmgt_core.video.config").VideoConfig()
    with torch.device("meta"):
        model = pack("mmgt_core.video.model").VideoModel(config)
    parts = pack("mmgt_core.checkpoints.video_parts")
    names = {n: shape for n, shape in shapes(model).items() if parts.part_of(n) == "unet"}
    tensors = {
        name.removeprefix("denoising_unet."): torch.full((1,), 0.01 * (i % 7), dtype=torch.float16).expand(
            shape
        )
        for i, (name, shape) in enumerate(sorted(names.items()))
    }
    header = {"mmgt_kind": "unet", "mmgt_config": json.dumps({})}
    path = tmp_path / "net_unet.safetensors"
    pack("mmgt_core.base.tensor_file").write_tensors(path, tensors, header)
    loaded = comfy.sd.load_diffusion_model(str(path), model_options={"dtype": torch.float16})
    assert loaded is not None
    state = loaded.model.diffusion_model.state_dict()
    assert len(state) == len(tensors) == 686
    assert state["input_blocks.0.0.weight"].flatten()[0] == tensors["conv_in.weight"].flatten()[0]
    assert state["out.2.bias"].flatten()[0] == tensors["conv_out.bias"].flatten()[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_reference_unet_runs_in_its_own_dtype(pack, ours, dtype):
    """As on hosts that do not cast: latents in the dtype of another MODEL met weights in half precision."""
    read = pack("nodes.comfy.load_video_model").load_host_video_model(ours, dtype)
    reference = read.reference.model
    reference.manual_cast_dtype = None
    for module in reference.modules():
        if hasattr(module, "comfy_cast_weights"):
            module.comfy_cast_weights = False
    assert reference.get_dtype() == dtype
    latents, context = torch.zeros(1, 4, 8, 8), torch.zeros(1, 1, read.config.cross_dim)
    places = pack("nodes.comfy.sites").sites_by_block(read.config)
    bank = pack("nodes.comfy.reference_net").write_bank(reference, latents, context, places)
    assert bank.rows == 1 and all(features.isfinite().all() for features in bank.features.values())
