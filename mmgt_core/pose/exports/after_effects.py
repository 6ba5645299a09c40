"""Key frames that After Effects pastes onto a layer: a Point Control for each point."""

from __future__ import annotations

from ...base.timebase import FPS
from ..motion import Motion
from .points import pixel_points

HEAD = """Adobe After Effects 8.0 Keyframe Data

\tUnits Per Second\t{fps}
\tSource Width\t{width}
\tSource Height\t{height}
\tSource Pixel Aspect Ratio\t1
\tComp Pixel Aspect Ratio\t1
"""
END = "\n\nEnd of Keyframe Data\n"


def to_after_effects(motion: Motion) -> str:
    """The text: pixels from the upper left, a key for each frame that shows the point.

    Control number n is point n - 1 of the 134; points that are never visible have none.
    """
    parts = [HEAD.format(fps=FPS, width=motion.width, height=motion.height)]
    points = pixel_points(motion)
    for point in range(points.shape[1]):
        seen = (points[:, point, 2] > 0).nonzero()[0].tolist()
        if not seen:
            continue
        parts.append(f"\nEffects\tPoint Control #{point + 1}\tPoint #2\n\tFrame\tX pixels\tY pixels\t\n")
        keys = ((frame, *points[frame, point, :2].tolist()) for frame in seen)
        parts.append("".join(f"\t{frame}\t{x:.3f}\t{y:.3f}\t\n" for frame, x, y in keys))
    return "".join(parts) + END


def from_after_effects(text: str) -> dict[int, dict[int, tuple[float, float]]]:
    """Point -> frame -> (x, y) in pixels, as `to_after_effects` writes them."""
    found: dict[int, dict[int, tuple[float, float]]] = {}
    point = -1
    for line in text.splitlines():
        cells = line.split("\t")
        if cells[0] == "Effects":
            point = int(cells[1].rpartition("#")[2]) - 1
            found[point] = {}
        elif point >= 0 and len(cells) >= 4 and cells[1].isdigit():
            found[point][int(cells[1])] = (float(cells[2]), float(cells[3]))
    return found
