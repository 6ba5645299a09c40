"""The portrait as CLIP sees it: one token of 768 numbers (docs/method.md 2.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's own training images
SPREAD = (0.26862954, 0.26130258, 0.27577711)


@torch.no_grad()
def image_embedding(encoder: Any, image: NDArray[np.uint8]) -> Tensor:
    """The projected, pooled embedding of an image, float32 (1, projection) on the CPU.

    Args:
        encoder: transformers' CLIPVisionModelWithProjection.
        image: uint8 RGB (height, width, 3); squashed to the encoder's square, bicubic, as published.
    """
    from PIL import Image

    side = encoder.config.image_size
    square = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(square)).float() / 255
    pixels = (pixels - torch.tensor(MEAN)) / torch.tensor(SPREAD)
    pixels = pixels.permute(2, 0, 1)[None].to(encoder.device, encoder.dtype)
    return encoder(pixel_values=pixels).image_embeds.float().cpu()
