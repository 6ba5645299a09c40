"""The watermark: its code, what it survives, what it costs, and that nothing else is taken for it."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.marks.watermark.detect import Detection, detect, periods, threshold
from mmgt_core.marks.watermark.embed import watermarked
from mmgt_core.marks.watermark.golay import WORD, decoded, encoded
from mmgt_core.marks.watermark.pattern import TILE, spectrum, tile

SIDE, FRAMES, NUMBER = 384, 25, 40_321


def scene(frames: int = FRAMES, side: int = SIDE) -> np.ndarray:
    """A disc that moves over a background with some texture, like a person before a wall."""
    random = np.random.default_rng(3)
    wall = cv2.resize(random.uniform(60, 190, (12, 12, 3)).astype(np.float32), (side, side))
    wall += cv2.GaussianBlur(random.normal(0, 25, (side, side, 3)).astype(np.float32), (0, 0), 1.5)
    film = np.stack([wall] * frames)
    for index, frame in enumerate(film):
        place = (side // 2 + int(20 * np.sin(index / 4)), side // 2 + int(12 * np.cos(index / 5)))
        cv2.circle(frame, place, side // 4, (205.0, 160.0, 130.0), -1)
    return np.clip(film, 0, 255).astype(np.uint8)


def encoded_again(frames: np.ndarray, crf: int = 28) -> np.ndarray:
    """Through H.264 and back."""
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = (side - side % 2 for side in frames.shape[1:3])
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf)}
        for frame in frames[:, : stream.height, : stream.width]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))
    data.seek(0)
    with av.open(data) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def scaled(frames: np.ndarray, factor: float = 0.5) -> np.ndarray:
    return np.stack([cv2.resize(x, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for x in frames])


def cropped(frames: np.ndarray) -> np.ndarray:
    """A tenth of each side away, not the same on both ends."""
    height, width = frames.shape[1:3]
    return frames[:, height // 33 : height - height // 14, width // 16 : width - width // 26]


@pytest.fixture(scope="module")
def marked() -> np.ndarray:
    parts = watermarked([scene()[:10], scene()[10:]], NUMBER)
    return np.concatenate(list(parts))


def found(frames: np.ndarray) -> Detection:
    detection = detect(frames)
    assert detection is not None
    return detection


ATTACKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nothing": lambda x: x,
    "crf 28": encoded_again,
    "half": scaled,
    "crop": cropped,
    "one frame": lambda x: x[7:8],
    "half, crf 28": lambda x: encoded_again(scaled(x)),
    "crop, half, crf 28": lambda x: encoded_again(scaled(cropped(x))),
    "brighter": lambda x: np.clip(x * 0.8 + 40, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_found_with_its_number(marked, attack):
    detection = found(ATTACKS[attack](marked))
    assert detection.found and detection.number == NUMBER
    assert np.mean(detection.bits != encoded(NUMBER)) < 0.25
    assert abs(detection.scale / (0.5 if "half" in attack else 1.0) - 1) < 0.02


def test_frames_without_it_are_not_taken_for_marked():
    random = np.random.default_rng(5)
    stripes = np.tile(np.sin(np.arange(256) * 2 * np.pi / 16) * 60 + 128, (256, 1)).astype(np.uint8)
    for frames in (
        scene(3),
        encoded_again(scene(8)),
        random.integers(0, 256, (1, 256, 256, 3), np.uint8),
        np.full((2, 200, 200, 3), 128, np.uint8),
        np.repeat(stripes[None, ..., None], 3, axis=3),
        np.repeat(np.uint8(np.indices((256, 256)).sum(0) // 32 % 2 * 200)[None, ..., None], 3, axis=3),
    ):
        assert not found(frames).found


def test_tiny_frames_say_nothing():
    assert detect(np.zeros((2, 64, 64, 3), np.uint8)) is None
    assert detect([]) is None


def test_it_costs_what_the_page_says(marked):
    error = np.mean((marked.astype(float) - scene()) ** 2)
    assert 36.0 < 10 * np.log10(255**2 / error) < 43.0


def test_the_threshold_bounds_false_positives():
    """The score of one position is a mean of cosines of uniform angles: how often it passes some value."""
    lines, random = spectrum().x.size, np.random.default_rng(0)
    scores = np.cos(random.uniform(0, 2 * np.pi, (40_000, lines))).mean(1)
    for score in (0.05, 0.1, 0.14):
        assert (scores > score).mean() <= np.exp(-lines * score**2)
    needed = threshold(lines, len(periods()))
    assert TILE * TILE * len(periods()) * np.exp(-lines * needed**2) <= 1.000001e-6


@given(st.integers(0, 2**16 - 1), st.data())
def test_three_wrong_bits_in_each_word_are_corrected(number, data):
    bits = encoded(number).astype(float)
    for start in (0, WORD):
        for place in data.draw(st.sets(st.integers(0, WORD - 1), max_size=3)):
            bits[start + place] *= -1
    assert decoded(bits)[0] == number


def test_the_pattern_never_changes():
    """Files that were marked once must be recognized by every later version."""
    pattern = tile(12_345)
    assert pattern.shape == (TILE, TILE) and abs(float(pattern.std()) - 1) < 1e-3
    lines = np.fft.fft2(pattern)
    kept = spectrum()
    outside = np.ones((TILE, TILE), bool)
    outside[kept.y % TILE, kept.x] = outside[-kept.y % TILE, -kept.x % TILE] = False
    assert np.abs(lines[outside]).max() < 1e-2
    places = [(0, 0), (17, 90), (64, 64), (127, 3)]
    assert np.allclose([pattern[place] for place in places], KNOWN, atol=1e-4)


KNOWN = [0.23959, 0.7087, 0.80558, 0.33683]
