"""Who the presenter is: colors, proportions and style, all from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]  # RGB, 0..255

_SKINS: tuple[Colour, ...] = (
    (255, 224, 196), (247, 206, 172), (236, 186, 145), (222, 164, 120), (196, 134, 92),
    (166, 108, 72), (134, 84, 56), (108, 68, 48),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (32, 28, 34), (62, 42, 32), (98, 62, 38), (142, 88, 48), (198, 150, 78), (232, 196, 120),
    (176, 74, 40), (150, 150, 156), (214, 214, 218), (92, 60, 110),
)  # fmt: skip
_SHIRTS: tuple[Colour, ...] = (
    (38, 84, 146), (178, 48, 56), (42, 120, 96), (236, 232, 224), (58, 58, 72), (120, 70, 140),
    (224, 150, 44), (70, 150, 190), (140, 150, 70), (206, 110, 140), (96, 112, 132),
)  # fmt: skip
_BACKGROUNDS: tuple[Colour, ...] = (
    (200, 224, 236), (238, 222, 196), (210, 230, 206), (232, 208, 214), (116, 142, 168),
    (92, 116, 108), (150, 128, 154), (72, 80, 104), (240, 240, 236), (244, 206, 132),
)  # fmt: skip
_IRISES: tuple[Colour, ...] = (
    (64, 40, 28), (94, 60, 30), (52, 92, 60), (44, 84, 130), (84, 96, 104),
)  # fmt: skip

HAIR_STYLES = ("short", "side", "long", "bob", "bun", "curly", "crop", "bald")
SHIRT_STYLES = ("plain", "collar", "stripes", "vneck", "jacket")
BACKGROUND_STYLES = ("plain", "wall", "panel", "sun")
BEARDS = ("none", "full", "goatee", "moustache")


@dataclass(frozen=True)
class Identity:
    """A presenter's looks; lengths are fractions of the image's height before `scale`.

    Attributes:
        scale: size of the whole figure, about 1.
        shift: how far the figure stands right of the middle.
        head_width, chin, skull: half width of the face, eye line to chin, eye line to the top of the skull.
        eye_gap, eye_size: half distance of the eyes; half width of an eye.
        mouth_width: half width of the resting mouth.
        shoulder_width: half distance of the shoulder joints.
        hand: length of a hand.
        reach: 0 (small gestures near the body) .. 1 (wide and high); shows in how wide the hands rest.
        dominance: -1 (the right hand leads) .. 1 (the left hand leads); shows in which hand rests higher.
    """

    seed: int
    scale: float
    shift: float
    head_width: float
    chin: float
    skull: float
    eye_gap: float
    eye_size: float
    mouth_width: float
    shoulder_width: float
    hand: float
    reach: float
    dominance: float
    skin: Colour
    hair: Colour
    hair_style: str
    lips: Colour
    iris: Colour
    brow_width: float
    beard: str
    glasses: Colour | None
    shirt: Colour
    shirt_detail: Colour
    shirt_style: str
    sleeves: str
    background: Colour
    background_detail: Colour
    background_style: str


def sample_identity(seed: int) -> Identity:
    """The presenter with this seed; equal seeds give equal presenters."""
    rng = np.random.default_rng([0x1DE47, seed])
    skin = _vary(rng, _pick(rng, _SKINS), 7)
    shirt = _unlike(rng, _SHIRTS, [skin], 95)
    background = _unlike(rng, _BACKGROUNDS, [skin, shirt], 70)
    hair = _unlike(rng, _HAIRS, [skin, background], 60)
    dark_lips = sum(skin) < 400
    lips = _mix(skin, (120, 30, 40) if dark_lips else (200, 50, 70), rng.uniform(0.4, 0.7))
    bearded = rng.random() < 0.3
    has_glasses = rng.random() < 0.28
    return Identity(
        seed=seed,
        scale=float(rng.uniform(0.93, 1.05)),
        shift=float(rng.uniform(-0.03, 0.03)),
        head_width=float(rng.uniform(0.150, 0.172)),
        chin=float(rng.uniform(0.212, 0.234)),
        skull=float(rng.uniform(0.168, 0.188)),
        eye_gap=float(rng.uniform(0.066, 0.076)),
        eye_size=float(rng.uniform(0.034, 0.041)),
        mouth_width=float(rng.uniform(0.056, 0.068)),
        shoulder_width=float(rng.uniform(0.172, 0.208)),
        hand=float(rng.uniform(0.165, 0.185)),
        reach=float(rng.uniform(0, 1)),
        dominance=float(rng.uniform(-1, 1)),
        skin=skin,
        hair=hair,
        hair_style=str(rng.choice(HAIR_STYLES, p=(0.16, 0.16, 0.16, 0.14, 0.1, 0.14, 0.1, 0.04))),
        lips=lips,
        iris=_pick(rng, _IRISES),
        brow_width=float(rng.uniform(0.010, 0.016)),
        beard=str(rng.choice(BEARDS[1:])) if bearded else "none",
        glasses=_pick(rng, ((30, 30, 36), (120, 30, 40), (40, 60, 110), (110, 76, 40)))
        if has_glasses
        else None,
        shirt=shirt,
        shirt_detail=_unlike(rng, _SHIRTS, [shirt, skin], 80),
        shirt_style=str(rng.choice(SHIRT_STYLES)),
        sleeves=str(rng.choice(("long", "long", "short"))),
        background=background,
        background_detail=_mix(
            background, _pick(rng, ((255, 255, 255), (30, 40, 60))), rng.uniform(0.12, 0.3)
        ),
        background_style=str(rng.choice(BACKGROUND_STYLES)),
    )


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return colours[rng.integers(len(colours))]


def _vary(rng: np.random.Generator, colour: Colour, amount: float) -> Colour:
    r, g, b = (int(np.clip(c + rng.normal(0, amount), 0, 255)) for c in colour)
    return r, g, b


def _mix(a: Colour, b: Colour, weight: float) -> Colour:
    r, g, b_ = (int(round(p + (q - p) * weight)) for p, q in zip(a, b, strict=True))
    return r, g, b_


def _unlike(
    rng: np.random.Generator, colours: tuple[Colour, ...], others: list[Colour], distance: float
) -> Colour:
    """A slightly varied color at least that far (RGB) from the others, or else the farthest."""

    def gap(colour: Colour) -> float:
        return min(float(np.linalg.norm(np.subtract(colour, other))) for other in others)

    varied = [_vary(rng, colours[i], 8) for i in rng.permutation(len(colours))]
    return next((c for c in varied if gap(c) >= distance), max(varied, key=gap))
