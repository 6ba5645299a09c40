"""The names of Stage II tensors: official name <-> name in `VideoModel`, as data (docs/method.md 3).

The tables give names relative to a module; the functions expand them for all sites of a configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..video.config import VideoConfig
from ..video.motion_module import ATTENTIONS
from ..video.sites import Site, sites

if TYPE_CHECKING:
    from ..video.model import VideoModel

BOTH, WEIGHT = ("weight", "bias"), ("weight",)
Template = tuple[str, str, tuple[str, ...]]

_BLOCK = "transformer_blocks.0."
_BRANCHES = (("0", "full", "full"), ("1", "face", "face"), ("2", "lip", "lips"))

# (official name, our name, parameters), both relative to the module.
_FEED_FORWARD: tuple[Template, ...] = (
    (f"{_BLOCK}ff.net.0.proj", "ff.proj", BOTH),
    (f"{_BLOCK}ff.net.2", "ff.out", BOTH),
)


def _attention(official: str, ours: str) -> tuple[Template, ...]:
    return (
        (f"{official}.to_q", f"{ours}.to_q", WEIGHT),
        (f"{official}.to_k", f"{ours}.to_k", WEIGHT),
        (f"{official}.to_v", f"{ours}.to_v", WEIGHT),
        (f"{official}.to_out.0", f"{ours}.to_out", BOTH),
    )


AUDIO_MODULE: tuple[Template, ...] = (
    ("norm", "norm", BOTH),
    ("proj_in", "proj_in", BOTH),
    ("proj_out", "proj_out", BOTH),
    *((f"{_BLOCK}norm{n}", f"block.norm{n}", BOTH) for n in (1, 2, 3)),
    *_attention(f"{_BLOCK}attn1", "block.self_attention"),
    *(
        row
        for index, _, ours in _BRANCHES
        for row in _attention(f"{_BLOCK}attn2_{index}", f"block.cross.{ours}")
    ),
    *((f"{_BLOCK}zero_conv_{official}", f"block.zero.{ours}", BOTH) for _, official, ours in _BRANCHES),
    *((official, f"block.{ours}", parameters) for official, ours, parameters in _FEED_FORWARD),
)
# 1x1 convolutions in the official files, linear maps here: (out, in, 1, 1) <-> (out, in).
AUDIO_CONVOLUTIONS = ("proj_in", "proj_out", "zero_conv_full", "zero_conv_face", "zero_conv_lip")

MOTION_MODULE: tuple[Template, ...] = (
    ("norm", "norm", BOTH),
    ("proj_in", "proj_in", BOTH),
    ("proj_out", "proj_out", BOTH),
    *((f"{_BLOCK}norms.{n}", f"norms.{n}", BOTH) for n in range(ATTENTIONS)),
    *(
        row
        for n in range(ATTENTIONS)
        for row in _attention(f"{_BLOCK}attention_blocks.{n}", f"attentions.{n}")
    ),
    (f"{_BLOCK}ff_norm", "ff_norm", BOTH),
    *_FEED_FORWARD,
)
# Sinusoids: dropped on the way in, written back on the way out.
MOTION_POSITIONS = tuple(f"{_BLOCK}attention_blocks.{n}.pos_encoder.pe" for n in range(ATTENTIONS))

# official prefix -> prefix in VideoModel, for modules whose inner names are the same.
PREFIXES = {
    "denoising_unet.": "unet.",
    "reference_unet.": "reference.",
    "pose_guider.": "adapter.pose_guider.",
    "audioproj.": "adapter.audio_projection.",
    "autoencoder.": "autoencoder.",
}


def block_path(site: Site) -> str:
    """The official path of the block that a site lies in, and its layer: "down_blocks.0.{}.1"."""
    if site.name == "mid":
        return "mid_block.{}.0"
    way, block, layer = site.name.split(".")
    return f"{way}_blocks.{block}.{{}}.{layer}"


def adapter_keys(config: VideoConfig) -> dict[str, str]:
    """Official name -> name in `VideoModel` for every tensor of the audio and motion modules."""
    keys: dict[str, str] = {}
    for site in sites(config):
        if site.audio_width:
            official = f"denoising_unet.{block_path(site).format('audio_modules')}."
            keys.update(_expand(AUDIO_MODULE, official, f"adapter.audio.{site.key}."))
        if site.motion:
            keys.update(_expand(MOTION_MODULE, _motion_prefix(site), f"adapter.motion.{site.key}."))
    return keys


def position_shapes(config: VideoConfig) -> dict[str, tuple[int, int, int]]:
    """Name and shape of the sinusoids that official files repeat in every temporal attention."""
    return {
        _motion_prefix(site) + name: (1, config.motion_max_frames, site.channels)
        for site in sites(config)
        if site.motion
        for name in MOTION_POSITIONS
    }


def is_audio_convolution(official: str) -> bool:
    """Whether the tensor is the weight of a 1x1 convolution in the official file."""
    parts = official.split(".")
    return "audio_modules" in parts and parts[-1] == "weight" and parts[-2] in AUDIO_CONVOLUTIONS


def _motion_prefix(site: Site) -> str:
    return f"denoising_unet.{block_path(site).format('motion_modules')}.temporal_transformer."


def _expand(templates: tuple[Template, ...], official: str, ours: str) -> dict[str, str]:
    return {
        f"{official}{theirs}.{parameter}": f"{ours}{mine}.{parameter}"
        for theirs, mine, parameters in templates
        for parameter in parameters
    }


def official_keys(model: VideoModel) -> dict[str, str]:
    """Official name -> name in the model, for all tensors of a file that the model does not make itself."""
    keys: dict[str, str] = {}
    names = model.state_dict().keys()
    for official, ours in PREFIXES.items():
        if ours != "autoencoder." or model.config.autoencoder == "tiny":
            keys.update({official + name.removeprefix(ours): name for name in names if name.startswith(ours)})
    return keys | adapter_keys(model.config)


def official_shapes(model: VideoModel) -> dict[str, tuple[int, ...]]:
    """The name and shape of every tensor of the official file for this model's sizes."""
    state = model.state_dict()
    shapes: dict[str, tuple[int, ...]] = {}
    for official, ours in official_keys(model).items():
        shape = tuple(state[ours].shape)
        shapes[official] = (*shape, 1, 1) if is_audio_convolution(official) else shape
    return shapes | position_shapes(model.config)
