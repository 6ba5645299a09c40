"""`--compile`: one graph for all windows, steps, seeds and clips; the same numbers; a clear error."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import DependencyError
from mmgt_core.pipeline.parts import load_video_part
from mmgt_core.pipeline.settings import VideoSettings
from mmgt_core.video.compiled import CompiledUNet
from mmgt_core.video.model import VideoModel

from ...denoising import denoise

# Guards, and so the number of graphs, do not depend on what runs a graph.
TRACED = "eager"


@pytest.fixture
def compiled(config):
    """A model of its own: compiled code belongs to one object."""
    model = VideoModel.build(config, 0, pose_output_scale=1.0).eval().requires_grad_(False)
    torch._dynamo.reset()
    yield model
    torch._dynamo.reset()


@pytest.mark.slow
def test_windows_steps_seeds_and_clips_share_a_graph(compiled, make_conditions):
    from torch._dynamo.utils import counters

    clips = [make_conditions(10), make_conditions(13), make_conditions(7)]
    expected = [denoise(compiled, clip, seed=seed) for seed, clip in enumerate(clips)]
    counters.clear()
    compiled.compile_unet(TRACED)
    first = denoise(compiled, clips[0], seed=0)
    assert counters["stats"]["unique_graphs"] == 1 and not counters["graph_break"]
    with torch._dynamo.config.patch(error_on_recompile=True):
        others = [denoise(compiled, clip, seed=seed) for seed, clip in enumerate(clips)]
        with compiled.ready():
            others.append(denoise(compiled, clips[0], seed=0))
    assert counters["stats"]["unique_graphs"] == 1
    for one, other in zip([expected[0], *expected, expected[0]], [first, *others], strict=True):
        torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-4)


def test_only_what_every_call_computes_is_compiled(compiled, make_conditions, monkeypatch):
    """The first call of a clip projects the reference: it runs as always, all others through the compiler."""
    calls = []
    monkeypatch.setattr(CompiledUNet, "__init__", lambda self, unet, backend: None)
    monkeypatch.setattr(
        CompiledUNet,
        "__call__",
        lambda self, latents, timesteps, context: calls.append(latents.shape[0]) or torch.zeros_like(latents),
    )
    compiled.compile_unet()
    denoise(compiled, make_conditions(4), steps=3)
    assert calls == [8, 8]


def test_without_a_compiler_the_error_says_what_to_do():
    class UNet(torch.nn.Module):
        def forward(self, latents, timesteps, encoder_hidden_states, return_dict):
            return (latents + timesteps,)

    def broken(graph, inputs):
        raise FileNotFoundError("no working C++ compiler found\nsecond line")

    unet = CompiledUNet(UNet(), broken)
    with torch.no_grad(), pytest.raises(DependencyError) as caught:
        unet(torch.zeros(1, 4, 8, 8), torch.zeros(1), torch.zeros(1, 1, 6))
    text = str(caught.value)
    assert "no working C++ compiler found)" in text and "leave --compile out" in text and "\n" not in text


@pytest.mark.parametrize("chosen", [True, False])
def test_the_option_reaches_the_model(chosen, monkeypatch):
    seen = []
    monkeypatch.setattr(VideoModel, "compile_unet", lambda self: seen.append(self) or self)
    model = load_video_part(VideoSettings(compile=chosen), torch.device("cpu"), torch.float32, None)
    assert seen == ([model] if chosen else [])
