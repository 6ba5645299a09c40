"""The names of WavLM's tensors: the original release <-> transformers' (docs/method.md 1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable

BOTH, WEIGHT, NONE = (".weight", ".bias"), (".weight",), ("",)
Template = tuple[str, str, tuple[str, ...]]

# (original name, name in transformers, endings)
HEAD: tuple[Template, ...] = (
    ("mask_emb", "masked_spec_embed", NONE),  # read in training only
    ("layer_norm", "feature_projection.layer_norm", BOTH),
    ("post_extract_proj", "feature_projection.projection", BOTH),
    ("encoder.pos_conv.0.bias", "encoder.pos_conv_embed.conv.bias", NONE),
    ("encoder.pos_conv.0.weight_g", "encoder.pos_conv_embed.conv.parametrizations.weight.original0", NONE),
    ("encoder.pos_conv.0.weight_v", "encoder.pos_conv_embed.conv.parametrizations.weight.original1", NONE),
    ("encoder.layer_norm", "encoder.layer_norm", BOTH),
)
FIRST_LAYER: tuple[Template, ...] = (
    (
        "encoder.layers.0.self_attn.relative_attention_bias",
        "encoder.layers.0.attention.rel_attn_embed",
        WEIGHT,
    ),
)
# Relative to conv_layers.{i}; the norm is that of the extractor mode "layer_norm", the Large release's.
CONVOLUTION: tuple[Template, ...] = (("0", "conv", WEIGHT), ("2.1", "layer_norm", BOTH))
# Relative to encoder.layers.{n}.
LAYER: tuple[Template, ...] = (
    *((f"self_attn.{name}_proj", f"attention.{name}_proj", BOTH) for name in ("q", "k", "v", "out")),
    ("self_attn.grep_linear", "attention.gru_rel_pos_linear", BOTH),
    ("self_attn.grep_a", "attention.gru_rel_pos_const", NONE),
    ("self_attn_layer_norm", "layer_norm", BOTH),
    ("fc1", "feed_forward.intermediate_dense", BOTH),
    ("fc2", "feed_forward.output_dense", BOTH),
    ("final_layer_norm", "final_layer_norm", BOTH),
)
CONVOLUTIONS = "feature_extractor.conv_layers.{}."
LAYERS = "encoder.layers.{}."


def wavlm_keys(convolutions: int = 7, layers: int = 24) -> dict[str, str]:
    """Original name -> name in transformers, for every tensor of a WavLM of these depths (Large: 7, 24)."""
    parts = [("", HEAD), ("", FIRST_LAYER)]
    parts += [(CONVOLUTIONS.format(index), CONVOLUTION) for index in range(convolutions)]
    parts += [(LAYERS.format(index), LAYER) for index in range(layers)]
    return {
        f"{prefix}{original}{ending}": f"{prefix}{ours}{ending}"
        for prefix, templates in parts
        for original, ours, endings in templates
        for ending in endings
    }


def wavlm_depths(names: Iterable[str]) -> tuple[int, int]:
    """How many convolutions and layers the tensor names, original or of transformers, speak of."""
    counts = []
    names = list(names)
    for template in (CONVOLUTIONS, LAYERS):
        pattern = re.compile(re.escape(template).replace(r"\{\}", r"(\d{1,4})"))
        found = [int(match[1]) for name in names if (match := pattern.match(name))]
        counts.append(max(found, default=-1) + 1)
    return counts[0], counts[1]
