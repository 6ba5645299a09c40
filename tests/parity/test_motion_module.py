"""The temporal transformer, on maps that are not square (docs/method.md 2.8)."""

from __future__ import annotations

from mmgt_core.checkpoints.video_keys import adapter_keys
from mmgt_core.video.motion_module import sinusoids
from mmgt_core.video.state import RunState

from .tiny_weights import frames_apart, frames_first, tiny_model

TOLERANCE = 1e-4


def test_motion_module(golden_record, goldens):
    golden = goldens("stage2/motion_module.safetensors")
    model = tiny_model(golden_record)
    official = golden.metadata["weights"] + ".temporal_transformer.norm.weight"
    module = model.adapter.motion[adapter_keys(model.config)[official].split(".")[2]]
    x = golden.use("input")
    rows, _, frames = x.shape[:3]
    seen = {}

    def keep(name, change=None):
        def hook(_module, inputs, output):
            seen[name] = output if change is None else change(inputs, output)

        return hook

    def per_frame(sequences):
        """(rows * pixels, frames, c) -> the golden's (rows * frames, pixels, c)."""
        return sequences.unflatten(0, (rows, -1)).transpose(1, 2).flatten(0, 1)

    handles = [
        module.proj_in.register_forward_hook(keep("after_proj_in")),
        module.norms[1].register_forward_hook(keep("after_attention_0", lambda inputs, _: inputs[0])),
        module.ff_norm.register_forward_hook(keep("after_attention_1", lambda inputs, _: inputs[0])),
        module.proj_out.register_forward_hook(keep("after_ff", lambda inputs, _: inputs[0])),
    ]
    try:
        out = module(frames_first(x), RunState(rows=rows))
    finally:
        for handle in handles:
            handle.remove()
    golden.close("output", frames_apart(out, rows), atol=TOLERANCE)
    for name, value in seen.items():
        golden.close(name, per_frame(value), atol=TOLERANCE * max(1.0, float(golden.use(name).std())))
    assert frames < golden.use("pe").shape[1]


def test_positions(goldens):
    golden = goldens("stage2/motion_module.safetensors")
    golden.close("pe", sinusoids(*golden.use("pe").shape[1:]), atol=1e-6)
