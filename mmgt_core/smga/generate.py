"""From audio features and a first pose to a motion of any length."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..base.errors import InputError
from ..base.progress import Progress, silent
from ..pose.absent import with_places
from ..pose.motion import Motion
from ..pose.skeleton import VISIBLE_SCORE
from .config import SMGAConfig
from .diffusion import ddim_sample
from .network import SMGA
from .overlap import OVERLAP, sample_overlapping
from .windows import Chain, Chaining

Timing = Literal["aligned", "official"]


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
    chaining: Chaining | None = None,
    overlap: int = OVERLAP,
    windows_at_once: int = 8,
    timing: Timing = "aligned",
    progress: Progress = silent,
) -> Motion:
    """Generate the motion (frames, 134, 3) of a person who speaks what the features describe.

    The same seed gives the same motion: all noise comes from CPU generators, whatever the model's device.
    Scores are those of the first pose. Points that it does not have get a plausible place.

    Args:
        model: in eval mode.
        features: (frames, audio_channels) Stage I features at 25 fps, at least one frame; any length.
        first_pose: its first frame is the pose that the motion begins with.
        steps, guidance, eta: sampling; None = what the model's configuration says.
        candidates: motions drawn for every window after the first, of which the best continuation is kept;
            there is one to choose only where windows are chained.
        first_pose_ramp: begin exactly at the first pose; also joins chained windows. Off only for parity.
        chaining: "overlap" for any length; "chained" draws window after window, for a minute or two;
            "official" is what the published script does with several windows. None: "overlap", or "chained"
            where candidates are requested.
        overlap: frames that overlapping windows share.
        windows_at_once: overlapping windows that one network call computes; the same motion.
        timing: "official" shows every frame 40 ms late, as the published script does by putting the first
            pose in front and leaving the last frame out; `chaining="official"` implies it.
        progress: called after each network call.

    Raises InputError for features, poses or settings that do not fit the model.
    """
    config = model.config
    chaining = chaining or ("chained" if candidates > 1 else "overlap")
    _check(config, features, first_pose, candidates, steps)
    _check_windows(config, chaining, overlap, windows_at_once, timing)
    placed = with_places(first_pose.window([0]), legs=not config.legs_at_origin)
    pose = placed.to_network()[0].float()
    sampling: dict[str, Any] = {
        "steps": config.steps if steps is None else steps,
        "guidance": config.guidance if guidance is None else guidance,
        "eta": config.eta if eta is None else eta,
        "first_pose_ramp": first_pose_ramp,
    }
    if chaining == "overlap":
        flat = sample_overlapping(
            model,
            features,
            pose,
            seed=seed,
            overlap=overlap,
            windows_at_once=windows_at_once,
            progress=progress,
            **sampling,
        ).cpu()
    else:
        visible = first_pose.keypoints[0, :, 2] >= VISIBLE_SCORE
        flat = _chained(
            model,
            features,
            pose,
            visible,
            Chain(config.frames, chaining),
            seed,
            candidates,
            sampling,
            progress,
        )
    if timing == "official" and chaining != "official":
        flat = torch.cat([pose[None].cpu(), flat[:-1]])
    motion = Motion.from_network(flat, first_pose.width, first_pose.height)
    # A score's whole range is 0.002 wide in the network: what it says of them is noise (docs/method.md 1.3).
    motion.keypoints[..., 2] = first_pose.keypoints[:1, :, 2].cpu()
    return motion


def _chained(
    model: SMGA,
    features: Tensor,
    pose: Tensor,
    visible: Tensor,
    chain: Chain,
    seed: int,
    candidates: int,
    sampling: dict[str, Any],
    progress: Progress,
) -> Tensor:
    """Window after window, each from the end of the last: (frames, 402) on the CPU."""
    device = model.device
    features, pose, visible = features.to(device, torch.float32), pose.to(device), visible.to(device)
    visible = visible if visible.any() else torch.ones_like(visible)
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
            generator=generator,
            first_velocity=None if velocity is None else velocity[None],
            candidates=1 if previous is None else candidates,
            progress=window_progress,
            **sampling,
        )
        windows.append(drawn[0] if previous is None else chain.choose(drawn, previous, visible))
    return chain.assemble(windows, len(features), pose).cpu()


def _check(
    config: SMGAConfig, features: Tensor, first_pose: Motion, candidates: int, steps: int | None
) -> None:
    if features.ndim != 2 or features.shape[1] != config.audio_channels:
        raise InputError(
            f"this Stage I model needs features of the shape (frames, {config.audio_channels}), not "
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


def _check_windows(
    config: SMGAConfig, chaining: str, overlap: int, windows_at_once: int, timing: str
) -> None:
    for what, value, kinds in (("chaining", chaining, Chaining), ("timing", timing, Timing)):
        if value not in get_args(kinds):
            raise InputError(
                f"there is no {what} '{value}'", fix=f"choose one of {', '.join(get_args(kinds))}"
            )
    if not 0 <= overlap < config.frames:
        raise InputError(
            f"windows of {config.frames} frames cannot overlap by {overlap}",
            fix=f"choose 0 to {config.frames - 1}",
        )
    if windows_at_once < 1:
        raise InputError(f"{windows_at_once} windows at once are not possible", fix="choose at least 1")
