"""The figures of docs/marks.md: what the watermark survives in videos and photographs, and what it costs.

    python tests/benchmarks/watermark.py demo.mp4 portrait.jpg portrait.jpg:still

A photograph becomes a clip of 50 frames, seen by a moving camera, or by a still one, with a little noise.
"""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable

import av
import cv2
import numpy as np
from PIL import Image

from mmgt_core.marks.watermark.detect import detect
from mmgt_core.marks.watermark.embed import watermarked
from mmgt_core.marks.watermark.golay import encoded

FRAMES, SIDE = 50, 512
NUMBERS = (4_711, 60_123, 7)


def film(source: str) -> np.ndarray:
    """The frames of a video, at most 75, or the clip of a photograph; uint8 (n, height, width, 3)."""
    path, _, kind = source.partition(":")
    if path.lower().endswith((".mp4", ".mov", ".mkv", ".webm")):
        with av.open(path) as container:
            frames = [
                frame.to_ndarray(format="rgb24") for frame in itertools.islice(container.decode(video=0), 75)
            ]
        return np.stack(frames)
    image = np.array(Image.open(path).convert("RGB"))
    scale = 1.15 * SIDE / min(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    random, room = np.random.default_rng(0), [side - SIDE for side in image.shape[:2]]
    frames = []
    for index in range(FRAMES):
        turn = 0 if kind == "still" else index
        top = int(room[0] * (0.5 + 0.3 * np.cos(turn / 15)))
        left = int(room[1] * (0.5 + 0.3 * np.sin(turn / 12)))
        part = image[top : top + SIDE, left : left + SIDE] + random.normal(0, 2, (SIDE, SIDE, 1))
        frames.append(np.clip(part, 0, 255).astype(np.uint8))
    return np.stack(frames)


def h264(frames: np.ndarray, crf: int) -> tuple[np.ndarray, int]:
    """The frames after H.264, and the size of the file in bytes."""
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = (side - side % 2 for side in frames.shape[1:3])
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf)}
        for frame in frames[:, : stream.height, : stream.width]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        container.mux(stream.encode(None))
    size = data.tell()
    data.seek(0)
    with av.open(data) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]), size


def scaled(frames: np.ndarray, factor: float = 0.5) -> np.ndarray:
    return np.stack([cv2.resize(x, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for x in frames])


def cropped(frames: np.ndarray) -> np.ndarray:
    """Without a tenth of both sides."""
    height, width = frames.shape[1:3]
    return frames[:, int(0.03 * height) : int(0.93 * height), int(0.06 * width) : int(0.96 * width)]


def jpeg(frames: np.ndarray) -> np.ndarray:
    """One frame as JPEG of quality 75."""
    data = io.BytesIO()
    Image.fromarray(frames[len(frames) // 2]).save(data, "JPEG", quality=75)
    return np.array(Image.open(data).convert("RGB"))[None]


TREATMENTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as written (CRF 18)": lambda x: x,
    "CRF 28": lambda x: h264(x, 28)[0],
    "half size": scaled,
    "cropped by 10 %": cropped,
    "half size, CRF 28": lambda x: h264(scaled(x), 28)[0],
    "cropped, half size, CRF 28": lambda x: h264(scaled(cropped(x)), 28)[0],
    "0.4 times the size, CRF 28": lambda x: h264(scaled(x, 0.4), 28)[0],
    "CRF 35": lambda x: h264(x, 35)[0],
    "one frame, JPEG 75": jpeg,
}


def main(sources: list[str]) -> None:
    for source in sources:
        frames = film(source)
        marked = {number: next(watermarked([frames], number)) for number in NUMBERS}
        errors = [np.mean((part.astype(float) - frames) ** 2) for part in marked.values()]
        written = {number: h264(part, 18) for number, part in marked.items()}
        growth = np.mean([size for _, size in written.values()]) / h264(frames, 18)[1]
        print(f"\n{source}: PSNR {10 * np.log10(255**2 / np.mean(errors)):.1f} dB, file size x {growth:.2f}")
        for name, treat in TREATMENTS.items():
            rows = [(number, detect(treat(part))) for number, (part, _) in written.items()]
            found = sum(row is not None and row.found for _, row in rows)
            right = sum(row is not None and row.number == number for number, row in rows)
            wrong = np.mean([np.mean(row.bits != encoded(number)) for number, row in rows if row is not None])
            score = np.mean([row.score for _, row in rows if row is not None])
            print(
                f"| {name} | {found}/{len(rows)} | {right}/{len(rows)} | {wrong:.3f} | {score:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
