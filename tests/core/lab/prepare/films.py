"""Small videos whose images, sound and poses each say what time it is; no speech library is needed."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.pose import skeleton

SIZE, RATE = 96, 16_000
TICKS = 90_000
SLOPE = 400  # gray levels a second
REST = rest_pose(sample_identity(3)).astype(float)
PARTS = {
    "pose_keypoints_2d": skeleton.BODY,
    "face_keypoints_2d": skeleton.FACE,
    "hand_left_keypoints_2d": skeleton.LEFT_HAND,
    "hand_right_keypoints_2d": skeleton.RIGHT_HAND,
}
FOREHEAD = skeleton.BROWS.start  # the point whose height says the time


def gray(time: float) -> int:
    """A triangle wave: rises for half a second, falls for half a second."""
    return round(30 + SLOPE * abs(time % 1.0 - 0.5))


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise, loud throughout: (n,) at 16 kHz, no part of which is like another."""
    return (0.2 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).clip(-1, 1)


def pose(time: float) -> np.ndarray:
    """(134, 3) in fractions; one brow point rises slowly."""
    points = REST.copy()
    points[:, 2] = 1
    points[FOREHEAD, 1] -= 0.002 * time
    return points


def time_of(motion: np.ndarray) -> np.ndarray:
    """(n,) the times of a clip's poses (n, 134, 3), whatever its crop is."""
    unit = motion[:, skeleton.LEFT_EAR, 0] - motion[:, skeleton.RIGHT_EAR, 0]
    height = (motion[:, FOREHEAD, 1] - motion[:, skeleton.NOSE, 1]) / unit
    rest = REST[skeleton.LEFT_EAR, 0] - REST[skeleton.RIGHT_EAR, 0]
    return ((REST[FOREHEAD, 1] - REST[skeleton.NOSE, 1]) / rest - height) * rest / 0.002


def regular(seconds: float, rate: Fraction | int = 25) -> np.ndarray:
    return np.arange(int(seconds * rate)) / float(rate)


def write_film(
    path: Path,
    times: np.ndarray | None = None,
    seconds: float = 5.0,
    *,
    sound: np.ndarray | None = None,
    rate: int = RATE,
    poses: str | None = "list",
    people=lambda time: [pose(time)],
    image=None,
    size: tuple[int, int] = (SIZE, SIZE),
) -> Path:
    """A video with images at `times`, sound from 0 on ((n,) or (channels, n); empty: none), and its poses."""
    times = regular(seconds) if times is None else times
    sound = speech(seconds) if sound is None else sound
    sound = np.atleast_2d(sound)
    width, height = size
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = {"crf": "8", "preset": "ultrafast"}
        video.codec_context.time_base = Fraction(1, TICKS)
        track = None
        if sound.size:
            layout = "mono" if len(sound) == 1 else "stereo"
            track = container.add_stream("aac", rate=rate, layout=layout)
            track.bit_rate = 128_000
        for time in times.tolist():
            shown = (
                np.full((height, width, 3), gray(time - times[0]), np.uint8) if image is None else image(time)
            )
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start in range(0, sound.shape[1], 1024) if track is not None else ():
            block = np.ascontiguousarray(sound[:, start : start + 1024], np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(track.encode(frame))
        if track is not None:
            container.mux(track.encode(None))
    if poses is not None:
        write_poses(path, [people(time - times[0]) for time in times], poses, size)
    return path


def write_poses(path: Path, frames: list, kind: str, size: tuple[int, int]) -> None:
    """The poses beside a video; people are (134, 3) in fractions."""
    document = [
        {
            "people": [
                {name: _pixels(points[part], size) for name, part in PARTS.items()} for points in people
            ],
            "canvas_width": size[0],
            "canvas_height": size[1],
        }
        for people in frames
    ]
    if kind == "folder":
        folder = path.with_name(f"{path.stem}_keypoints")
        folder.mkdir()
        for number, frame in enumerate(document):
            text = json.dumps({"version": 1.3, "people": frame["people"]})
            (folder / f"{path.stem}_{number:012d}_keypoints.json").write_text(text)
    else:
        name = f"{path.stem}.json" if kind == "list" else f"{path.stem}_keypoints.json"
        path.with_name(name).write_text(json.dumps(document))


def _pixels(points: np.ndarray, size: tuple[int, int]) -> list[float]:
    values = points * [size[0], size[1], 1]
    values[points[:, 2] <= 0] = 0
    return values.flatten().tolist()
