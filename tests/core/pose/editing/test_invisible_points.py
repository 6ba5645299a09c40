"""The rule of every operation: no point is averaged with one that is not visible.

Where a point is not visible its x and y are replaced by other numbers; nothing visible may change by it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mmgt_core.pose.edit import amplified, blended, retargeted, smoothed
from mmgt_core.pose.editing.beats import emphasized
from mmgt_core.pose.editing.filters import one_euro, savitzky_golay
from mmgt_core.pose.editing.gains import gained, moved
from mmgt_core.pose.editing.mirroring import mirrored
from mmgt_core.pose.editing.mixing import crossed, held_part, replaced
from mmgt_core.pose.editing.parts import PARTS
from mmgt_core.pose.editing.proportions import with_proportions
from mmgt_core.pose.editing.timing import joined, lagged, looped, stretched, trimmed
from mmgt_core.pose.gaps import filled
from mmgt_core.pose.motion import Motion
from mmgt_core.pose.resampling import at_places
from mmgt_core.pose.visibility import visible_points

Operation = Callable[[Motion, Motion], Motion]
ramp = torch.linspace(0, 1, 60)
OPERATIONS: dict[str, Operation] = {
    "trim": lambda a, b: trimmed(a, 0.4, 1.0),
    "slower": lambda a, b: stretched(a, 0.7),
    "faster": lambda a, b: stretched(a, 1.3),
    "join": lambda a, b: joined(a, b, 12),
    "loop": lambda a, b: looped(a, 7.0, 10),
    "cross": lambda a, b: crossed(a, b, ramp),
    "blend": lambda a, b: blended(a, b, 0.4),
    "mirror": lambda a, b: mirrored(a),
    "one euro": lambda a, b: one_euro(a),
    "one euro, lips": lambda a, b: one_euro(a, lips=True),
    "savitzky-golay": lambda a, b: savitzky_golay(a),
    "savitzky-golay, lips": lambda a, b: savitzky_golay(a, 15, 4, lips=True),
    "mean": lambda a, b: savitzky_golay(a, 7, 0),
    "gauss": lambda a, b: smoothed(a, 2.0),
    "gains": lambda a, b: amplified(a, body=1.5, face=0.5, hands=2.0),
    "retarget": lambda a, b: retargeted(a, b),
    "proportions": lambda a, b: with_proportions(a, b),
    "beats": lambda a, b: emphasized(a, [10.0, 33.3], 1.0),
    "fill": lambda a, b: filled(a, 3),
    "resample": lambda a, b: at_places(a, [0.64 * frame for frame in range(90)]),
    **{f"gain of {part}": (lambda a, b, p=part: gained(a, p, 1.8)) for part in PARTS},
    **{f"offset of {part}": (lambda a, b, p=part: moved(a, p, 9, -4)) for part in PARTS},
    **{f"lag of {part}": (lambda a, b, p=part: lagged(a, p, 3)) for part in PARTS},
    **{f"lead of {part}": (lambda a, b, p=part: lagged(a, p, -5)) for part in PARTS},
    **{f"hold {part}": (lambda a, b, p=part: held_part(a, p, 7)) for part in PARTS},
    **{f"replace {part}": (lambda a, b, p=part: replaced(a, b, p)) for part in PARTS},
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_visible_depends_on_what_is_not(name, seed, gappy):
    clean = OPERATIONS[name](gappy(seed), gappy(seed + 50))
    spoiled = OPERATIONS[name](gappy(seed, 77.0), gappy(seed + 50, -77.0))
    seen, also = visible_points(clean), visible_points(spoiled)
    assert (seen == also).all() and seen.any() and not seen.all()
    shown = torch.from_numpy(seen)
    assert torch.allclose(clean.keypoints[shown], spoiled.keypoints[shown], atol=1e-6)
    assert clean.keypoints[shown].abs().max() < 3, "and no 77 is among them"


def test_the_rule_can_be_broken(gappy):
    """A mean that ignores scores is found out."""
    careless = [motion.keypoints.mean(dim=0) for motion in (gappy(0), gappy(0, 77.0))]
    assert not torch.allclose(*careless, atol=1e-3)
