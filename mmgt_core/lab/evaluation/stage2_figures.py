"""The rows of Stage II in the table: what was measured, its floors and its goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..metrics.bootstrap import Interval, bootstrap, mean
from ..metrics.journal import Record
from .figures import Beside, Bound, Figure

STAGE = "stage2"


def stage2_figures(records: Mapping[str, Sequence[Record]]) -> list[Figure]:
    """The rows of the table from the records of each condition, in the order of the presenters."""

    def column(name: str, condition: str = "true") -> np.ndarray:
        return np.array([record[name] for record in records[condition]])

    def average(name: str, condition: str = "true") -> Interval:
        return bootstrap(mean, column(name, condition))

    count = len(records["true"])

    def figure(
        name: str,
        value: Interval,
        floor: Bound | None,
        goal: Bound | None,
        *beside: Beside,
        unit: str = "",
    ) -> Figure:
        return Figure(STAGE, name, value, floor, goal, unit, beside, count)

    def five(name: str) -> Interval:
        """Over all hands of the chosen clips."""
        found = np.stack([column(name), column("hands")], axis=-1)
        return bootstrap(lambda rows: float(rows[:, 0].sum() / max(rows[:, 1].sum(), 1)), found)

    def ceiling(name: str) -> Beside:
        return Beside("autoencoder ceiling", average(f"{name}_ceiling"))

    def cost(condition: str) -> Interval:
        return bootstrap(mean, column("psnr_few") - column("psnr", condition))

    many = column("psnr", "many-steps")
    loss = bootstrap(mean, column("psnr_few")[: len(many)] - many)

    return [
        figure("pixel mouth meter on true frames, correlation", average("meter"), Bound(0.9), None),
        figure(
            "PSNR from true poses", average("psnr"), Bound(26.5), Bound(28),
            ceiling("psnr"), unit="dB",
        ),
        figure(
            "SSIM from true poses", average("ssim"), Bound(0.90), Bound(0.92),
            ceiling("ssim"),
        ),
        figure(
            "PSNR inside the hand boxes", average("psnr_hands"), Bound(24.3), Bound(25.8),
            ceiling("psnr_hands"), unit="dB",
        ),
        figure(
            "PSNR of the head without the face: hair, bun, ears", average("psnr_hair"), Bound(25.6),
            Bound(27.6), ceiling("psnr_hair"), unit="dB",
        ),
        figure(
            "gradient energy over the truth's", average("sharpness"), Bound(0.8, 1.3), Bound(0.9, 1.1),
            ceiling("sharpness"),
        ),
        figure(
            "gradient energy over the truth's, inside the hand boxes", average("sharpness_hands"),
            Bound(0.75, 1.3), Bound(0.9, 1.1), ceiling("sharpness_hands"),
        ),
        figure(
            "hands that show five fingers", five("five"), Bound(0.6), Bound(0.85),
            Beside("autoencoder ceiling", five("five_ceiling")),
            Beside("true frames", five("five_true"), Bound(0.9)),
        ),
        figure(
            "PSNR above the repeated portrait", bootstrap(mean, column("psnr") - column("psnr_portrait")),
            Bound(3), Bound(6), Beside("repeated portrait", average("psnr_portrait")), unit="dB",
        ),
        figure(
            "mouth opening in the pixels, correlation", average("mouth"), Bound(0.5), Bound(0.75),
            ceiling("mouth"),
        ),
        figure(
            "the same from audio alone (lips hidden, masks frozen)", average("mouth", "hidden"),
            Bound(0.2), Bound(0.5),
            Beside("shuffled audio", average("mouth", "hidden-shuffled"), Bound(high=0.1)),
        ),
        figure("PSNR lost by 20 steps with guidance 1.5", loss, Bound(high=3), Bound(high=0.5), unit="dB"),
        figure("cost of a wrong pose", cost("wrong-pose"), Bound(3), None, unit="dB"),
        figure("cost of another person's portrait", cost("wrong-portrait"), Bound(3), None, unit="dB"),
        figure(
            "frame-to-frame difference, still pose and silence", average("difference", "still"),
            Bound(high=2), Bound(high=0.5), unit="/255",
        ),
    ]  # fmt: skip
