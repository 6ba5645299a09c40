"""What a generated motion should look like beside its sound and its first pose."""

from __future__ import annotations

import torch

from ..audio.lip_sync import closed_share, lag_curve, loudness
from ..audio.silence_gate import silence_gate
from ..base.timebase import FPS
from ..media.waveform import Waveform
from ..pose import skeleton
from ..pose.motion import CANVAS, Motion
from ..pose.mouth import aperture
from .findings import Finding

SECTION = "Stage I: motion"
LAGS = 200.0  # milliseconds to both sides


def motion_checks(motion: Motion, first_pose: Motion, voice: Waveform) -> list[Finding]:
    """Figures of one motion (frames, 134, 3) that was generated from `first_pose` and `voice`."""
    bad = int((~motion.keypoints.isfinite()).sum())
    found = [Finding(SECTION, "non-finite values", str(bad), "fault" if bad else "ok")]
    if bad:
        return found
    found += [_first_frame(motion, first_pose), *_lips(motion, voice), _visibility(motion)]
    return [*found, _silence(motion, voice)]


def _first_frame(motion: Motion, first_pose: Motion) -> Finding:
    seen = first_pose.keypoints[0, :, 2] >= skeleton.VISIBLE_SCORE
    way = motion.window([0]).pixels(CANVAS, CANVAS)[0] - first_pose.pixels(CANVAS, CANVAS)[0]
    off = float(way[seen].norm(dim=-1).mean()) if bool(seen.any()) else 0.0
    verdict = "ok" if off <= 1 else "look"
    return Finding(
        SECTION, "frame 0 from the portrait's pose", f"{off:.2f} px of {CANVAS}", verdict, "0 to 1"
    )


def _lips(motion: Motion, voice: Waveform) -> list[Finding]:
    by_lag = lag_curve(aperture(motion).double().numpy(), loudness(voice), LAGS)
    if not by_lag:
        return [Finding(SECTION, "lips against sound by lag in frames", "the clip is too short")]
    best = max(by_lag, key=lambda lag: by_lag[lag])
    table = ", ".join(f"{lag:+d}: {value:.2f}" for lag, value in by_lag.items())
    remark = "lips late" if best > 0 else "lips early" if best < 0 else "aligned"
    follows = by_lag[best] >= 0.3
    return [
        Finding(SECTION, "lips against sound by lag in frames", table),
        Finding(
            SECTION,
            "best lag",
            f"{best:+d} frames ({remark}), correlation {by_lag[best]:.2f}",
            "ok" if follows and abs(best) <= 1 else "look",
            "" if abs(best) <= 1 else f"try --motion-shift {-best}",
        ),
    ]


def _visibility(motion: Motion) -> Finding:
    shown = motion.keypoints[..., 2] >= skeleton.VISIBLE_SCORE
    changes = int((shown[1:] != shown[:-1]).sum())
    rate = changes / max(motion.frames / FPS, 1e-9)
    verdict = "ok" if rate <= skeleton.KEYPOINTS else "look"
    return Finding(SECTION, "visibility changes", f"{rate:.1f} points a second", verdict, "flicker if many")


def _silence(motion: Motion, voice: Waveform) -> Finding:
    gate, opening = torch.from_numpy(silence_gate(voice))[: motion.frames], aperture(motion).double().numpy()
    quiet = (gate == 0).numpy()
    name = "closed mouth in silence"
    if quiet.sum() < FPS // 5:
        return Finding(SECTION, name, "the recording has no pause")
    share = closed_share(opening, quiet)
    return Finding(
        SECTION, name, f"{100 * share:.0f} % of the silent frames", "ok" if share > 0.8 else "look"
    )
