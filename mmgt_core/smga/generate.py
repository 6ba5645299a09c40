"""From audio features and a first pose to a motion of any length."""

from __future__ import annotations

from typing import Any, get_args

import torch
from torch import Tensor

from ..errors import InputError
from ..pose.motion import Motion
from ..pose.skeleton import VISIBLE_SCORE
from ..progress import Progress, silent
from .config import SMGAConfig
from .diffusion import ddim_sample
from .network import SMGA
from .windows import Chain, Chaining


@torch.no_grad()
def generate_motion(
    model: SMGA,
    features: Tensor,
    first_pose: Motion,
    *,
    seed: int,
    steps: int | None = None,
    guidance: float | None = None,
    eta: float | None = None,
    candidates: int = 1,
    first_pose_ramp: bool = True,
    chaining: Chaining = "fixed",
    progress: Progress = silent,
) -> Motion:
    """Generate the motion (frames, 134, 3) of a person who speaks what the features describe.

    The same seed gives the same motion: all noise comes from one CPU generator, whatever the model's device.
    Scores are those of the first pose.

    Args:
        model: in eval mode.
        features: (frames, audio_channels) Stage I features at 25 fps, at least one frame; any length.
        first_pose: its first frame is the pose that the motion begins with.
        steps, guidance, eta: sampling; None = what the model's configuration says.
        candidates: motions drawn for every window after the first, of which the best continuation is kept.
        first_pose_ramp: begin exactly at the first pose; also joins the windows. Off only for parity.
        chaining: "fixed", or "official" for what the published script does with several windows.

    Raises InputError for features or poses that do not fit the model.
    """
    config = model.config
    _check(config, features, first_pose, candidates, steps, chaining)
    steps = config.steps if steps is None else steps
    device = model.device
    features = features.to(device, torch.float32)
    pose = first_pose.window([0]).to_network()[0].to(device, torch.float32)
    visible = (first_pose.keypoints[0, :, 2] >= VISIBLE_SCORE).to(device)
    visible = visible if visible.any() else torch.ones_like(visible)

    chain = Chain(config.frames, chaining)
    starts = chain.starts(len(features))
    generator = torch.Generator().manual_seed(seed)
    windows: list[Tensor] = []
    for index, start in enumerate(starts):
        previous = windows[-1] if windows else None
        velocity = None if previous is None else chain.next_velocity(previous)
        condition = chain.first_condition(pose) if previous is None else chain.next_condition(previous, pose)

        def window_progress(done: int, total: int, preview: Any = None, /, *, index: int = index) -> None:
            progress(index * total + done, len(starts) * total, preview)

        drawn = ddim_sample(
            model,
            condition[None],
            chain.audio(features, start)[None],
            steps=steps,
            guidance=config.guidance if guidance is None else guidance,
            eta=config.eta if eta is None else eta,
            generator=generator,
            first_pose_ramp=first_pose_ramp,
            first_velocity=None if velocity is None else velocity[None],
            candidates=1 if previous is None else candidates,
            progress=window_progress,
        )
        windows.append(drawn[0] if previous is None else chain.choose(drawn, previous, visible))
    flat = chain.assemble(windows, len(features), pose).cpu()
    motion = Motion.from_network(flat, first_pose.width, first_pose.height)
    # A score's whole range is 0.002 wide in the network: what it says of them is noise (stage1.md 8.17).
    motion.keypoints[..., 2] = first_pose.keypoints[:1, :, 2].cpu()
    return motion


def _check(
    config: SMGAConfig,
    features: Tensor,
    first_pose: Motion,
    candidates: int,
    steps: int | None,
    chaining: str,
) -> None:
    if features.ndim != 2 or features.shape[1] != config.audio_channels:
        raise InputError(
            f"this Stage I model hears features of the shape (frames, {config.audio_channels}), not "
            f"{tuple(features.shape)}",
            fix="extract the features that the model's configuration asks for",
        )
    if len(features) == 0:
        raise InputError("the audio features hold no frame", fix="give a recording that is not empty")
    if not bool(features.isfinite().all()):
        raise InputError("the audio features hold values that are not numbers", fix="check the recording")
    if first_pose.frames == 0:
        raise InputError("the first pose holds no frame", fix="give the keypoints of one person")
    if not bool(first_pose.keypoints[0].isfinite().all()):
        raise InputError("the first pose holds values that are not numbers", fix="check the keypoints")
    if candidates < 1:
        raise InputError(f"candidates is {candidates}", fix="choose at least 1")
    if steps is not None and not 1 <= steps <= 1000:
        raise InputError(f"the number of Stage I steps is {steps}", fix="choose 1 to 1000")
    if chaining not in get_args(Chaining):
        raise InputError(
            f"there is no chaining '{chaining}'", fix=f"choose one of {', '.join(get_args(Chaining))}"
        )
