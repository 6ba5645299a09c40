"""The adapter on ComfyUI's UNet: patches, wrappers and additional models on a clone of a MODEL.

The model itself is not changed, and the patches have no state. The state of a run is in its own options:
`SAMPLER_SAMPLE` creates a `ClipRun` once, `APPLY_MODEL` creates a `UNetCall` for every call,
`DIFFUSION_MODEL` shows it to the patches. What lies inside `DIFFUSION_MODEL` is what the host's
TorchCompileModel compiles: it must depend on tensors and on the `UNetCall` alone. The call comes as a keyword
argument, since that node takes everything it finds in `transformer_options` to be the same in every call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import comfy.model_management
from comfy.ldm.modules.attention import SpatialTransformer
from comfy.ldm.modules.diffusionmodules.openaimodel import ResBlock
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ...mmgt_core.base.errors import InputError
from ...mmgt_core.video.config import VideoConfig
from ...mmgt_core.video.mutual_attention import mutual_attention
from ...mmgt_core.video.sites import Site
from .clip_run import CALL, RUN, ClipRun, LoadedNetworks, UNetCall
from .compiling import check_compilable
from .conditions import CONDITION, Clip
from .host_layers import host_attention
from .injections import CurrentCall, site_injection
from .reference_net import compute_dtype
from .sites import STEM, Block, check_model, sites_by_block
from .window_progress import WindowProgress
from .windows import ACTIVATIONS, WINDOW, ClipWindows

if TYPE_CHECKING:
    from comfy.patcher_extension import WrapperExecutor
    from comfy.samplers import CFGGuider

KEY = "mmgt"
OTHER_GPUS, GPU = "multigpu", "multigpu_thread_device"  # of the host: models on other GPUs, that of a call
HAS_LAYER_PATCHES = hasattr(ModelPatcher, "set_model_middle_block_after_patch")  # added in the same commit


def attach(
    model: ModelPatcher, config: VideoConfig, adapter: ModelPatcher, reference: ModelPatcher
) -> ModelPatcher:
    """A clone of `model` with the adapter attached; attaching again replaces the networks.

    Raises InputError if the MODEL is of another family than the video model.
    """
    check_model(model, config)
    patched = model.clone()
    patched.set_additional_models(KEY, [adapter, reference])
    if patched.get_attachment(KEY) is None:
        _add_patches(patched, sites_by_block(config))
    patched.set_attachments(KEY, config)
    return patched


def _add_patches(patched: ModelPatcher, places: dict[Block, Site]) -> None:
    patched.set_model_input_block_patch(_pose_patch)
    for block, site in places.items():
        if site.reference:
            patched.set_model_attn1_replace(_self_attention(site), *block)
            patched.set_model_attn2_replace(_cross_attention, *block)
    current = None
    if HAS_LAYER_PATCHES:
        for layer_class, handler in _layer_patches(places):
            patched.set_model_forward_timestep_embed_patch((layer_class, handler))
    else:
        current = CurrentCall()
        patched.set_injections(KEY, [site_injection(places, current)])
    patched.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, _start_noise)
    patched.add_wrapper_with_key(WrappersMP.PREPARE_SAMPLING, KEY, _estimate_memory)
    patched.add_wrapper_with_key(WrappersMP.SAMPLER_SAMPLE, KEY, _run_clips)
    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, _create_call)
    patched.add_wrapper_with_key(WrappersMP.DIFFUSION_MODEL, KEY, _unet_call(current))


def _pose_patch(h: Tensor, options: Mapping[str, Any]) -> Tensor:
    call: UNetCall | None = options.get(CALL)
    return call.adapter.stem(h, call.state) if call is not None and options["block"] == STEM else h


def _layer_patches(places: Mapping[Block, Site]) -> tuple[tuple[type, Callable[..., Tensor]], ...]:
    """Handlers that replace the UNet's calls of its layers: the layer itself, followed by the adapter."""

    def after_layer(x: Tensor, options: Mapping[str, Any], with_attention: bool) -> Tensor:
        call: UNetCall | None = options.get(CALL)
        site = places.get(options["block"]) if call is not None and "block" in options else None
        if call is None or site is None or site.reference != with_attention:
            return x
        return call.adapter.after(site.name, x, call.state)

    def transformer(
        layer: SpatialTransformer,
        x: Tensor,
        emb: Tensor,
        context: Tensor | None,
        options: dict[str, Any],
        *_: object,
    ) -> Tensor:
        x = layer(x, context, options)
        if "transformer_index" in options:
            options["transformer_index"] += 1
        return after_layer(x, options, True)

    def resnet(
        layer: ResBlock, x: Tensor, emb: Tensor, context: Tensor | None, options: dict[str, Any], *_: object
    ) -> Tensor:
        return after_layer(layer(x, emb), options, False)

    return (SpatialTransformer, transformer), (ResBlock, resnet)


def _self_attention(site: Site) -> Callable[..., Tensor]:
    """attn1: conditional rows also attend to the reference bank."""

    def replace(q: Tensor, k: Tensor, v: Tensor, extra: Mapping[str, Any]) -> Tensor:
        call: UNetCall | None = extra.get(CALL)
        heads = extra["n_heads"]
        options = {"attn_precision": extra.get("attn_precision"), "transformer_options": extra}

        def attention(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
            return host_attention(q, k, v, heads, **options)

        if call is None:
            return attention(q, k, v, heads)

        return mutual_attention(q, k, v, site.name, call.state, _projected_before, heads, attention)

    return replace


def _projected_before(_: Tensor) -> tuple[Tensor, Tensor]:
    raise AssertionError("ClipRun.call projects the reference")


def _cross_attention(q: Tensor, k: Tensor, v: Tensor, extra: Mapping[str, Any]) -> Tensor:
    """attn2: with one token the softmax is 1, so the result is its value everywhere (docs/method.md 2.3)."""
    if v.shape[1] == 1:
        return v.expand(-1, q.shape[1], -1)
    return host_attention(
        q, k, v, extra["n_heads"], attn_precision=extra.get("attn_precision"), transformer_options=extra
    )


def _start_noise(executor: WrapperExecutor, noise: Tensor, *args: object, **kwargs: object) -> Tensor:
    """The initial noise of any sampler: the same for all frames if the model shares its noise."""
    config: VideoConfig = executor.class_obj.model_patcher.get_attachment(KEY)
    return executor(noise[:1].expand_as(noise).clone() if config.shared_noise else noise, *args, **kwargs)


def _estimate_memory(
    executor: WrapperExecutor,
    model: ModelPatcher,
    noise_shape: Sequence[int],
    *args: object,
    **kwargs: object,
) -> tuple[object, ...]:
    """Memory for one window instead of the clip, plus the adapter's activations."""
    handler = model.model_options.get("context_handler")
    rows = handler.rows(noise_shape[0]) if isinstance(handler, ClipWindows) else noise_shape[0]
    return executor(model, [math.ceil(rows * ACTIVATIONS), *noise_shape[1:]], *args, **kwargs)


def _run_clips(
    executor: WrapperExecutor,
    guider: CFGGuider,
    sigmas: Tensor,
    extra_args: dict[str, Any],
    callback: Callable[..., None] | None,
    *args: object,
    **kwargs: object,
) -> Tensor:
    """Wraps a whole sampling run, after all models are loaded: computes the constant conditions once."""
    check_compilable(guider.model_patcher)
    conds = [cond["model_conds"].get(CONDITION) for group in guider.conds.values() for cond in group]
    clips = {id(cond.clip): cond.clip for cond in conds if cond is not None}.values()
    progress = WindowProgress(len(sigmas) - 1)
    run = _run_on(guider.model_patcher, clips, progress)
    for other in guider.model_patcher.get_additional_models_with_key(OTHER_GPUS):
        with comfy.model_management.cuda_device_context(other.load_device):
            run.others[other.load_device] = _run_on(other, clips, progress)
    options = extra_args["model_options"]
    options = {**options, "transformer_options": {**options.get("transformer_options", {}), RUN: run}}
    extra_args = {**extra_args, "model_options": options}
    return executor(guider, sigmas, extra_args, progress.follow(callback), *args, **kwargs)


def _run_on(patcher: ModelPatcher, clips: Iterable[Clip], progress: WindowProgress) -> ClipRun:
    """The run on the device of a patcher, whose networks are loaded."""
    adapter, reference = (extra.model for extra in patcher.get_additional_models_with_key(KEY))
    dtype = compute_dtype(patcher.model)
    networks = LoadedNetworks(patcher.get_attachment(KEY), adapter, reference, patcher.load_device, dtype)
    return ClipRun(networks, patcher.model, clips, progress)


def _create_call(
    executor: WrapperExecutor,
    x: Tensor,
    t: Tensor,
    c_concat: Tensor | None = None,
    c_crossattn: Tensor | None = None,
    control: dict[str, Any] | None = None,
    transformer_options: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Tensor:
    """Wraps every call of the model: its `UNetCall` takes the place of the condition."""
    options = {} if transformer_options is None else transformer_options
    run: ClipRun | None = options.get(RUN)
    if run is not None:
        batch, unet = kwargs.pop(CONDITION, None), executor.class_obj.diffusion_model
        call = run.on(options.get(GPU)).call(unet, x.shape[0], batch, options.get(WINDOW))
        kwargs[CONDITION] = call
    return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)


def _unet_call(current: CurrentCall | None) -> Callable[..., Tensor]:
    """Wraps every call of the UNet: adds the state of its batch for the patches."""

    def wrapper(
        executor: WrapperExecutor,
        x: Tensor,
        timesteps: Tensor | None = None,
        context: Tensor | None = None,
        y: Tensor | None = None,
        control: dict[str, Any] | None = None,
        transformer_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Tensor:
        options = dict(transformer_options or {})
        call = kwargs.pop(CONDITION, None)
        if not isinstance(call, UNetCall):
            raise InputError(
                "this MODEL was patched by MMGT, but the sampler bypasses ComfyUI's sampling functions",
                fix="use KSampler",
            )
        options[CALL] = call
        if current is None:
            return executor(x, timesteps, context, y, control, options, **kwargs)
        with current.use(call):
            return executor(x, timesteps, context, y, control, options, **kwargs)

    return wrapper
