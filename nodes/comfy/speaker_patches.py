"""A speaker adapter on a UNet that is not in the video model's file: ComfyUI's own weight patches.

A UNet in the file needs none: its weights are changed before it is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from comfy.weight_adapter import LoRAAdapter

from ...mmgt_core.checkpoints.speaker_adapter import Changes

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher

KEY = "mmgt_speaker"


@dataclass(frozen=True, eq=False)
class UnetChanges:
    """A speaker's changes of a UNet from another file.

    Attributes:
        changes: by ComfyUI's name in the UNet.
        strength: 0 to 2.
    """

    changes: Changes
    strength: float = 1.0


def add_speaker(model: ModelPatcher, speaker: UnetChanges) -> None:
    """Patch the UNet of a MODEL with a speaker's changes; the same changes are added once."""
    if not speaker.strength or model.get_attachment(KEY) is speaker:
        return
    model.set_attachments(KEY, speaker)
    patches = {
        f"diffusion_model.{name}": LoRAAdapter(set(), (up, down, None, None, None, None))
        for name, (down, up) in speaker.changes.items()
    }
    model.add_patches(patches, speaker.strength)
