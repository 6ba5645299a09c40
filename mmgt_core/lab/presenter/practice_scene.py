"""A practice video as images, poses and sound in memory: the presenter, and what is wrong with the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from ...base.timebase import FPS, SAMPLE_RATE
from ...pose import skeleton
from .clip import fit
from .draw import draw_frame
from .figure import EYE_LINE
from .identity import Identity, sample_identity
from .motion_rules import Performance, perform
from .practice_plan import LASTING, LENGTH, SHORT, VideoPlan
from .sentences import paragraph
from .speech import Utterance, joined, pad, sample_voice, speak

NTSC = Fraction(30_000, 1001)
VARIABLE = (1 / 30, 1 / 20, 1 / 15)  # seconds between the images of a file of variable rate
FAULT_SECONDS = 3.0  # of a fault that does not last throughout
ENTRANCE = 0.8  # seconds in which a second person comes into the image
SMALL = 0.22  # of the image's height: a person who is too small
LATE = 0.3  # seconds between the beginning of the sound and the first image
TICKS = 90_000  # of a second, in which images are timed

People = list[NDArray[np.float64]]


@dataclass(frozen=True)
class Scene:
    """A practice video before it is written.

    Attributes:
        plan: what it was made from.
        width, height: pixels, even.
        times: seconds at which each image is shown, from the beginning of the sound; end: of the last one.
        samples: float32 (channels, n); empty where the file has no sound. rate: Hz.
        fault: seconds at which the fault begins and ends; None where it is nowhere or everywhere.
    """

    plan: VideoPlan
    width: int
    height: int
    times: NDArray[np.float64]
    end: float
    samples: NDArray[np.float32]
    rate: int
    fault: tuple[float, float] | None
    cast: tuple[Performance, ...]

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], People]]:
        """Each image, uint8 RGB (height, width, 3), and its people, (134, 3) each, in pixels and scores."""
        ends = np.append(self.times[1:], self.end)
        for time, end in zip(self.times, ends, strict=True):
            yield self._frame((time + end) / 2 - self.times[0])

    def _frame(self, time: float) -> tuple[NDArray[np.uint8], People]:
        size, fault = self.height, self.plan.fault
        main = self.cast[0]
        inside = self.fault is not None and self.fault[0] <= time < self.fault[1]
        if fault == "cut" and self.fault is not None and time >= self.fault[0]:
            main = self.cast[1]
        points = _pose_at(main, time)
        if fault == "hand leaves" and inside:
            _drop_hand(points)
        image = draw_frame(main.identity, points, size)
        if fault == "turned away" and inside:
            _turn_away(image, points, main.identity)
        left = (self.width - size) // 2
        if fault == "two people":
            left = 0
        if fault == "small":
            return self._small(image, points)
        image = np.pad(image, ((0, 0), (left, self.width - size - left), (0, 0)), mode="edge")
        people = [_pixels(points, size, left, 0, (self.width, self.height))]
        if fault == "two people" and self.fault is not None:
            edge = min((time - self.fault[0]) / ENTRANCE, (self.fault[1] - time) / ENTRANCE, 1)
            if edge > 0:
                self._second(image, people, time, edge)
        return image, people

    def _small(
        self, image: NDArray[np.uint8], points: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], People]:
        size = round(SMALL * self.height)
        left, top = (self.width - size) // 2, self.height - size
        figure = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
        whole = np.pad(figure, ((top, 0), (left, self.width - size - left), (0, 0)), mode="edge")
        return whole, [_pixels(points, size, left, top, (self.width, self.height))]

    def _second(self, image: NDArray[np.uint8], people: People, time: float, edge: float) -> None:
        """Draw the second person in the right half; `edge` 0..1 is how far they have come in."""
        size, other = self.height, self.cast[1]
        points = _pose_at(other, time)
        left = round(self.width - edge * size)
        image[:, left:] = draw_frame(other.identity, points, size)[:, : self.width - left]
        people.append(_pixels(points, size, left, 0, (self.width, self.height)))


def make_scene(plan: VideoPlan, size: int) -> Scene:
    """The scene of a plan, `size` pixels high.

    Raises:
        DependencyError: libespeak-ng is not installed.
    """
    rng = np.random.default_rng([0x5CE4E, plan.seed])
    identity = sample_identity(plan.identity)
    if plan.fault == "two people":  # the second one comes in front of the same wall
        identity = replace(identity, background_style="plain")
    utterance, fault = _speech(plan, rng)
    cast = [perform(utterance.phonemes, utterance.seconds, identity, plan.seed, plan.gestures)]
    if plan.fault in ("cut", "two people"):
        other = sample_identity(plan.identity + 1_000)
        if plan.fault == "two people":
            walls = {"background": identity.background, "background_style": "plain"}
            other = replace(other, **walls)
        cast.append(perform(utterance.phonemes, utterance.seconds, other, plan.seed + 1))
    times = _times(plan, utterance.seconds, rng)
    width = 2 * size if plan.fault == "two people" else round(2 * size / 3) * 2 if plan.wide else size
    late = LATE if plan.fault == "late picture" else 0.0
    samples, rate = _sound(plan, utterance)
    return Scene(plan, width, size, times + late, utterance.seconds + late, samples, rate, fault, tuple(cast))


def _speech(plan: VideoPlan, rng: np.random.Generator) -> tuple[Utterance, tuple[float, float] | None]:
    """What is said, and when the fault is."""
    voice = sample_voice(plan.identity)
    if plan.fault == "short":
        return fit(speak(paragraph(plan.seed, 1), voice, before=0.2), SHORT), None
    if plan.fault == "silence":
        first, second = (speak(paragraph(plan.seed + part, 2), voice, before=0.3) for part in (0, 500_000))
        first, second = fit(first, max(first.seconds, LENGTH[0] / 2)), fit(second, LENGTH[0] / 2)
        gap = pad(second, FAULT_SECONDS, 0.3)
        return joined([first, gap]), (first.seconds, first.seconds + FAULT_SECONDS)
    utterance = speak(paragraph(plan.seed, int(rng.integers(3, 6))), voice, before=0.3, after=0.4)
    utterance = fit(utterance, float(np.clip(utterance.seconds, *LENGTH)))
    if plan.fault == "cut":
        middle = round(utterance.seconds / 2 * FPS) / FPS
        return utterance, (middle, middle)
    if plan.fault in LASTING:
        start = round((utterance.seconds - FAULT_SECONDS) * rng.uniform(0.45, 0.55) * FPS) / FPS
        return utterance, (start, start + FAULT_SECONDS)
    return utterance, None


def _times(plan: VideoPlan, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
    if plan.fault == "variable rate":
        steps = rng.choice(VARIABLE, size=int(seconds * 30) + 2)
        times = np.concatenate([[0.0], np.cumsum(steps)])
    else:
        rate = NTSC if plan.fault == "29.97 fps" else Fraction(FPS)
        times = np.arange(int(seconds * rate) + 1) / float(rate)
    times = np.rint(times * TICKS) / TICKS
    return times[times < seconds - 1e-6]


def _sound(plan: VideoPlan, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
    """(channels, n) and its rate."""
    if plan.fault == "no sound":
        return np.zeros((0, 0), np.float32), SAMPLE_RATE
    samples = utterance.samples
    if plan.fault == "late picture":
        samples = np.pad(samples, (round(LATE * SAMPLE_RATE), 0))
    if plan.fault != "48 kHz stereo":
        return samples[None], SAMPLE_RATE
    import soxr

    left = np.asarray(soxr.resample(samples, SAMPLE_RATE, 48_000, quality="HQ"), np.float32)
    return np.stack([left, 0.6 * left]), 48_000


def _pose_at(performance: Performance, time: float) -> NDArray[np.float64]:
    """(134, 3) at a time in seconds; frame k of the performance is the middle of its 40 ms."""
    keypoints = performance.motion.keypoints
    place = float(np.clip(time * FPS - 0.5, 0, len(keypoints) - 1))
    before = int(place)
    after, part = min(before + 1, len(keypoints) - 1), place - before
    return ((1 - part) * keypoints[before] + part * keypoints[after]).double().numpy()


def _drop_hand(points: NDArray[np.float64]) -> None:
    """Move the left forearm and hand out of the image, below it, in place."""
    points[skeleton.LEFT_HAND, 1] += 0.55
    points[skeleton.LEFT_WRIST, 1] += 0.55


def _turn_away(image: NDArray[np.uint8], points: NDArray[np.float64], identity: Identity) -> None:
    """Cover the face with hair and make its points absent, in place."""
    center = (points[skeleton.RIGHT_EAR, :2] + points[skeleton.LEFT_EAR, :2]) / 2
    size = image.shape[0]
    x, y = (center * size).round().astype(int).tolist()
    reach = round(EYE_LINE * size)
    cv2.ellipse(image, (x, y), (round(0.8 * reach), reach), 0, 0, 360, identity.hair, -1, cv2.LINE_AA)
    points[[skeleton.NOSE, skeleton.RIGHT_EYE, skeleton.LEFT_EYE], 2] = 0
    points[skeleton.FACE, 2] = 0


def _pixels(
    points: NDArray[np.float64], size: int, left: int, top: int, image: tuple[int, int]
) -> NDArray[np.float64]:
    """Points of a square of `size` pixels at (left, top), in pixels of the image.

    What is outside of the image is absent.
    """
    moved = points.copy()
    moved[:, :2] = points[:, :2] * size + [left, top]
    outside = (moved[:, :2] < 0).any(axis=1) | (moved[:, :2] >= image).any(axis=1)
    moved[outside | (moved[:, 2] <= 0)] = 0
    return moved
