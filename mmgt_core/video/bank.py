"""The reference bank: what the denoising UNet's self-attentions read of the portrait (docs/method.md 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Bank:
    """Outputs of the reference UNet's norm1 at the 16 sites with self-attention.

    Attributes:
        features: site name -> (rows, tokens, channels); one row per portrait.
    """

    features: Mapping[str, Tensor]

    @property
    def rows(self) -> int:
        return next(iter(self.features.values())).shape[0]

    def __getitem__(self, site: str) -> Tensor:
        return self.features[site]

    def to(self, *args, **kwargs) -> Bank:
        """As `Tensor.to`, for every site."""
        return Bank({site: tensor.to(*args, **kwargs) for site, tensor in self.features.items()})

    def rounded(self) -> Bank:
        """The bank rounded to float16 and back, as the reference code hands it over even in a float32 run.

        What float16 cannot hold becomes its largest number rather than infinite.
        """
        largest = torch.finfo(torch.float16).max
        return Bank(
            {
                site: tensor.clamp(-largest, largest).to(torch.float16).to(tensor.dtype)
                for site, tensor in self.features.items()
            }
        )
