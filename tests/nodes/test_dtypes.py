"""A reference UNet and a MODEL of different dtypes under classic memory management, which casts nothing.

As with `--force-fp16` or bf16 weights on a GPU that computes in them, with `--disable-dynamic-vram` or on a
host without it: the host then builds layers that take their input as it comes.
"""

from __future__ import annotations

import pytest
import torch

from .sampling import error
from .short import sample_short
from .tiny import write_tiny


@pytest.fixture
def load(pack, monkeypatch, tmp_path):
    """Function: dtype -> the tiny model, whose UNets compute in the dtype of their weights."""
    import comfy.model_management as management
    from comfy.cli_args import args

    path = tmp_path / "tiny.safetensors"
    write_tiny(pack, path)
    monkeypatch.setattr(args, "force_fp16", True)
    monkeypatch.setattr(management, "unet_manual_cast", lambda *args, **kwargs: None)
    return lambda dtype: pack("nodes.comfy.load_video_model").load_host_video_model(path, dtype)


def computes_in(patcher) -> set[torch.dtype]:
    network = patcher.model.diffusion_model
    assert patcher.model.manual_cast_dtype is None
    return {parameter.dtype for parameter in network.parameters()}


HALF, BRAIN, WHOLE = torch.float16, torch.bfloat16, torch.float32


@pytest.mark.parametrize(
    ("main", "reference"), [(HALF, WHOLE), (BRAIN, WHOLE), (WHOLE, HALF), (WHOLE, BRAIN), (HALF, BRAIN)]
)
def test_any_two_dtypes_work_together(pack, video, load, main, reference):
    """A checkpoint's MODEL with the video model in another dtype; the latents are those of float32."""
    model, half = load(main).model, load(reference)
    assert computes_in(model) == {main} and computes_in(half.reference) == {reference}
    found, expected = sample_short(pack, half, model), sample_short(pack, video)
    assert found.isfinite().all()
    assert error(found.float(), expected) < 0.1 * float(expected.abs().max())
