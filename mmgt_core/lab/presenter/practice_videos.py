"""Practice videos as files: mp4 with OpenPose files beside them, as `mmgt prepare` finds them in the wild."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.atomic_files import atomic_write
from ...base.full_disk import explain_full_disk
from ...base.progress import Progress, silent
from ...pose import skeleton
from ...pose.openpose_lists import BODY_KEY, FACE_KEY, FOOT_KEY, HAND_KEYS
from .practice_plan import REASONS, VideoPlan
from .practice_scene import TICKS, People, Scene, make_scene

TRUTH = "videos.json"
BLOCK = 1024  # samples of one AAC frame
KEPT = 0.6  # of the bytes of a truncated file
DECIMALS = 2  # of the pixels in pose files


@dataclass(frozen=True)
class VideoTruth:
    """What is known about a practice video, an entry of `videos.json`.

    Attributes:
        file: path below the folder. speaker: its label.
        fault: "clean" or a kind of fault. start, end: seconds in the video; None where it is throughout.
        reason: by which `mmgt prepare` has to name the fault; None where all has to be accepted.
        seconds: length of the video.
    """

    file: str
    speaker: str
    fault: str
    start: float | None
    end: float | None
    reason: str | None
    seconds: float
    poses: str
    width: int
    height: int


def write_practice_videos(
    folder: Path, plans: list[VideoPlan], size: int, progress: Progress = silent
) -> list[VideoTruth]:
    """Write the videos of all plans, their poses, and `videos.json` with what is wrong with which.

    Args:
        size: height in pixels, even.

    Raises:
        DependencyError: libespeak-ng is not installed.
        InputError: the disk is full, or the place cannot be written.
    """
    truths = []
    with explain_full_disk(folder, "the videos before it are complete"):
        for done, plan in enumerate(plans, 1):
            truths.append(write_video_of(make_scene(plan, size), folder))
            progress(done, len(plans))
        with atomic_write(folder / TRUTH) as temporary:
            text = [json.dumps(vars(truth)) for truth in truths]
            temporary.write_text("[\n" + ",\n".join(text) + "\n]\n", encoding="utf-8")
    return truths


def write_video_of(scene: Scene, folder: Path) -> VideoTruth:
    """Write one scene and its poses below the folder."""
    plan = scene.plan
    path = folder / f"{plan.name}.mp4"
    poses: list[People] = []
    with atomic_write(path) as temporary:
        _encode(temporary, scene, poses)
        if plan.fault == "truncated":
            data = temporary.read_bytes()
            temporary.write_bytes(data[: int(len(data) * KEPT)])
    _write_poses(path, plan.poses, poses, (scene.width, scene.height))
    start, end = scene.fault or (None, None)
    seconds = round(scene.end - float(scene.times[0]), 3)
    return VideoTruth(
        f"{plan.name}.mp4", plan.speaker, plan.fault, start, end, REASONS.get(plan.fault), seconds,
        plan.poses, scene.width, scene.height,
    )  # fmt: skip


def _encode(path: Path, scene: Scene, poses: list[People]) -> None:
    import av

    with av.open(f"file:{path}", "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=Fraction(25))
        video.width, video.height, video.pix_fmt = scene.width, scene.height, "yuv420p"
        video.options = {"crf": "16", "preset": "veryfast", "mbtree": "0", "threads": "1"}
        video.codec_context.time_base = Fraction(1, TICKS)
        write_sound = _sound_writer(container, scene)
        for time, (image, people) in zip(scene.times.tolist(), scene.frames(), strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
            container.mux(video.encode(frame))
            write_sound(time)
            poses.append(people)
        container.mux(video.encode(None))
        write_sound(None)


def _sound_writer(container: Any, scene: Scene) -> Any:
    """A function that writes the sound up to a time in seconds; None writes the rest."""
    if not scene.samples.size:
        return lambda time: None
    sound = container.add_stream(
        "aac", rate=scene.rate, layout="mono" if len(scene.samples) == 1 else "stereo"
    )
    sound.bit_rate = 96_000 * len(scene.samples)
    return partial(_write_sound, container, sound, scene, [0])


def _write_sound(container: Any, sound: Any, scene: Scene, done: list[int], time: float | None) -> None:
    import av

    total = scene.samples.shape[1]
    until = total if time is None else min(int(time * scene.rate), total)
    while until - done[0] >= BLOCK or (time is None and done[0] < total):
        block = np.ascontiguousarray(scene.samples[:, done[0] : done[0] + BLOCK])
        frame = av.AudioFrame.from_ndarray(
            block, format="fltp", layout="mono" if len(block) == 1 else "stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = scene.rate, done[0], Fraction(1, scene.rate)
        container.mux(sound.encode(frame))
        done[0] += block.shape[1]
    if time is None:
        container.mux(sound.encode(None))


def _write_poses(path: Path, kind: str, poses: list[People], size: tuple[int, int]) -> None:
    """The poses of all images beside the video, as one of the tools writes them."""
    frames = [{"people": [_person(points) for points in people]} for people in poses]
    if kind == "folder":
        folder = path.with_name(f"{path.stem}_keypoints")
        folder.mkdir(exist_ok=True)
        for number, frame in enumerate(frames):
            name = f"{path.stem}_{number:012d}_keypoints.json"
            with atomic_write(folder / name) as temporary:
                temporary.write_text(json.dumps({"version": 1.3, **frame}), encoding="utf-8")
        return
    canvas = {"canvas_width": size[0], "canvas_height": size[1]}
    name = f"{path.stem}.json" if kind == "list" else f"{path.stem}_keypoints.json"
    with atomic_write(path.with_name(name)) as temporary:
        temporary.write_text(json.dumps([{**frame, **canvas} for frame in frames]), encoding="utf-8")


def _person(points: NDArray[np.float64]) -> dict[str, list[float]]:
    parts = ((BODY_KEY, skeleton.BODY), (FACE_KEY, skeleton.FACE), *HAND_KEYS, (FOOT_KEY, skeleton.FEET))
    return {key: points[part].round(DECIMALS).flatten().tolist() for key, part in parts}
