"""A whole Stage II model: both UNets, the adapter, and, where the file holds one, the autoencoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..base.packed_layers import packed
from .adapter import Adapter
from .bank import Bank
from .compiled import CompiledUNet, can_use
from .conditions import clip_token
from .config import VideoConfig
from .diffusers_host import Attachment, attach
from .layers import Layers
from .reference import write_bank
from .state import RunState
from .unets import build_reference, build_unet


class VideoModel(nn.Module):
    """The networks of Stage II on diffusers.

    Attributes:
        unet: denoising UNet (UNet2DConditionModel); the adapter is attached while `predict`
            or `attached` runs.
        reference: reference UNet.
        adapter: pose guider, audio projection, audio and motion modules.
        autoencoder: AutoencoderTiny when `config.autoencoder` is "tiny", else None until one is put here.
    """

    def __init__(self, config: VideoConfig):
        super().__init__()
        self.config = config
        self.unet: Any = build_unet(config)
        self.reference: Any = build_reference(config)
        self.adapter = Adapter(config, Layers())
        self.autoencoder: Any = _tiny_autoencoder(config) if config.autoencoder == "tiny" else None
        self._attachment: Attachment | None = None
        self._compiled: tuple[CompiledUNet, ...] = ()
        self._ready: tuple[Adapter, ...] = ()  # not a submodule: it shares modules with the adapter

    @classmethod
    def build(
        cls,
        config: VideoConfig,
        seed: int,
        *,
        pose_output_scale: float = 0.0,
        audio_output_scale: float = 1.0,
    ) -> VideoModel:
        """A model to train from scratch, initialized as published.

        The MM-HAA adapters, the motion modules' proj_out and the pose guider's conv_out are zero; the
        reference UNet starts from the denoising UNet's weights.

        Args:
            seed: decides every weight; the global generator is left as it was.
            pose_output_scale: the pose guider's last layer is its default initialization times this
                (published: 0; 1 lets the pose act from the first step, which a model that starts
                from scratch wants).
            audio_output_scale: the MM-HAA proj_out likewise (published: 1; 0 adds the audio modules to a
                trained UNet without disturbing it).
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = cls(config)
        with torch.no_grad():
            audio: list[Any] = list(model.adapter.audio.values())
            motion: list[Any] = list(model.adapter.motion.values())
            for module in audio:
                _scale(module.block.zero, 0.0)
                _scale(module.proj_out, audio_output_scale)
            for module in motion:
                _scale(module.proj_out, 0.0)
            _scale(model.adapter.pose_guider.conv_out, pose_output_scale)
        start = model.unet.state_dict()
        model.reference.load_state_dict({name: start[name] for name in model.reference.state_dict()})
        return model

    @property
    def device(self) -> torch.device:
        return self.unet.device

    @property
    def dtype(self) -> torch.dtype:
        return self.unet.dtype

    def context(self, image_embeds: Tensor | None) -> Tensor:
        """The cross-attention tokens (rows, 1, cross_dim); see `clip_token`."""
        return clip_token(image_embeds, self.config.cross_dim).to(self.device, self.dtype)

    def pose_features(self, images: Tensor) -> Tensor:
        """Pose images (n, height, width, 3) in [0, 1] or uint8 -> (n, C, height/8, width/8)."""
        return self.adapter.pose_features(images.to(self.device))

    def audio_tokens(self, windows: Tensor) -> Tensor:
        """Audio features around each frame (n, window, blocks, channels) -> (n, tokens, dim)."""
        return self.adapter.audio_tokens(windows.to(self.device))

    def write_bank(self, latents: Tensor, context: Tensor | None = None) -> Bank:
        """The reference bank of scaled latents (rows, 4, h, w); see `reference.write_bank`."""
        if context is None:
            context = self.context(None).expand(latents.shape[0], -1, -1)
        return write_bank(self.reference, latents, context, self.config)

    @contextmanager
    def attached(self, adapter: Adapter | None = None) -> Iterator[Attachment]:
        """The adapter (or another form of it, such as `adapter.fold()`) attached to the UNet
        inside the block.
        """
        if self._attachment is not None:
            if adapter not in (None, self._attachment.adapter):
                raise ValueError("another adapter is attached to this UNet")
            yield self._attachment
            return
        self._attachment = attach(self.unet, adapter or self.adapter)
        try:
            yield self._attachment
        finally:
            self._attachment.detach()
            self._attachment = None

    def compile_unet(self, backend: str = "inductor") -> VideoModel:
        """From now on `predict` runs UNet and adapter compiled, on a CPU with weights that are not packed.

        Args:
            backend: of torch.compile.
        """
        self._compiled = (CompiledUNet(self.unet, backend),)
        return self

    @contextmanager
    def ready(self) -> Iterator[Adapter]:
        """The form that clips are sampled with: the folded adapter, and on a CPU in float32 weights of
        UNet and adapter packed.

        Whoever samples several clips keeps this block open around them: making the form takes seconds at the
        published sizes. Blocks may lie within each other. Inside, `state_dict()` gives the weights as always;
        moving, casting, loading and training raise RuntimeError. Weights that are changed inside by other
        means do not act before the block has ended.
        """
        if self._ready:
            yield self._ready[0]
            return
        with ExitStack() as stack:
            with torch.no_grad():  # layers that need gradients stay as they are
                folded = self.adapter.fold()
                if not self._compiled:  # the compiler cannot read packed weights
                    stack.enter_context(packed(self.unet, folded.audio, folded.motion))
            self._ready = (folded,)
            try:
                yield folded
            finally:
                self._ready = ()

    @contextmanager
    def detached(self) -> Iterator[None]:
        """The UNet without the adapter inside the block, also where it is attached around it."""
        around = self._attachment
        if around is not None:
            around.detach()
            self._attachment = None
        try:
            yield
        finally:
            if around is not None:
                self._attachment = attach(self.unet, around.adapter)

    def predict(self, latents: Tensor, timesteps: Tensor, context: Tensor, state: RunState) -> Tensor:
        """The v prediction (rows * frames, 4, h, w) of noisy latents of that shape.

        Args:
            latents: rows outermost.
            timesteps: int64 (rows,) or a single one for all.
            context: (rows, tokens, cross_dim) or (1, tokens, cross_dim).
        """
        frames = state.frames(latents)
        timesteps = timesteps.to(latents.device).expand(state.rows).repeat_interleave(frames)
        context = context.expand(state.rows, -1, -1).repeat_interleave(frames, dim=0)
        with self.attached() as attachment, attachment.use(state):
            if self._compiled and can_use(state):
                return self._compiled[0](latents, timesteps, context)
            return self.unet(latents, timesteps, encoder_hidden_states=context, return_dict=False)[0]


def _scale(layer: Any, factor: float) -> None:
    for parameter in layer.parameters():
        parameter.mul_(factor)


def _tiny_autoencoder(config: VideoConfig) -> Any:
    from .autoencoder import build_tiny_autoencoder

    return build_tiny_autoencoder(config)
