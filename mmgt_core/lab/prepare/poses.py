"""The keypoints of one person through a video, from pose files or by the detector, shot by shot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError
from ...base.timebase import FPS
from ...media.video_reader import iterate_video
from ...pose import skeleton
from ...pose.openpose import parse_poses, pose_frames, read_pose_document
from ...pose.openpose_lists import WrongLists, person_points
from ...pose.tracking import fill_gaps
from .timeline import Timeline, shots

if TYPE_CHECKING:
    from ...pose.detector import PoseDetector

MAX_GAP = 12  # frames: longer gaps of a point stay gaps
SLACK = 2  # frames by which tools count a video differently
FEWEST = 5  # visible points of a person that counts

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Track:
    """One person through a video of n frames at 25 fps.

    Attributes:
        points: float32 (n, 134, 3), fractions of the image and true scores; what was never seen in a shot is
            (0, 0, 0), what is missing for longer than half a second stands still with score 0.
        present: bool (n,), the person is seen.
        second: float32 (n,), height of the second tallest person over that of the tallest; 0: there is none.
    """

    points: Points
    present: NDArray[np.bool_]
    second: NDArray[np.float32]


class PoseCount(InputError):
    """A pose file has another number of frames than its video."""

    __module__ = InputError.__module__


def track_from_file(path: Path, timeline: Timeline, cuts: Sequence[int]) -> Track:
    """The person in the pose files beside a video: the largest in each shot, followed by nearness.

    The file has the poses of the video's own frames, or of 25 frames a second, give or take two.

    Raises PoseCount for other numbers, InputError for what is no pose file.
    """
    try:
        frames = pose_frames(read_pose_document(path))
    except InputError as error:
        raise InputError(error.what, where=path.name, fix=error.fix) from error
    if abs(len(frames) - timeline.decoded) <= SLACK:
        index = timeline.shown
    elif abs(len(frames) - timeline.frames) <= SLACK:
        index = np.arange(timeline.frames)
    else:
        raise PoseCount(
            f"{len(frames)} poses for a video of {timeline.decoded} frames",
            where=path.name,
            fix="detect the poses of this very video",
        )
    wanted = [frames[i] for i in index.clip(max=len(frames) - 1).tolist()]
    heights = [_heights(frame, number) for number, frame in enumerate(wanted)]
    track = _empty(timeline.frames)
    size = (timeline.width, timeline.height)
    for first, stop in shots(timeline.frames, cuts):
        if any(heights[first:stop]):
            motion = parse_poses(wanted[first:stop], size=size)
            track.points[first:stop] = motion.keypoints.numpy()
    track.present[:] = (track.points[..., 2] > 0).any(axis=1)
    track.second[:] = [own[1] / own[0] if len(own) > 1 else 0 for own in heights]
    return _filled(track, cuts)


def track_by_detector(
    detector: PoseDetector,
    path: Path,
    timeline: Timeline,
    cuts: Sequence[int],
    step: Callable[[int], None] = lambda frame: None,
) -> Track:
    """The largest person in each shot, found by the detector on every frame at 25 fps."""
    track = _empty(timeline.frames)
    people = detector.frame_by_frame(iterate_video(path, fps=FPS), restarts=set(cuts))
    for frame, (_, seen) in enumerate(people):
        if frame >= timeline.frames:
            break
        if seen.points is not None:
            track.points[frame], track.present[frame] = seen.points, True
        tall = np.sort(seen.boxes[:, 3] - seen.boxes[:, 1])[::-1]
        track.second[frame] = tall[1] / max(tall[0], 1e-6) if len(tall) > 1 else 0
        step(frame + 1)
    return _filled(track, cuts)


def _empty(frames: int) -> Track:
    shape = (frames, skeleton.KEYPOINTS, skeleton.CHANNELS)
    return Track(np.zeros(shape, np.float32), np.zeros(frames, bool), np.zeros(frames, np.float32))


def _filled(track: Track, cuts: Sequence[int]) -> Track:
    """Short gaps filled within each shot; frames without the person are gaps of all points."""
    for first, stop in shots(len(track.points), cuts):
        part = track.points[first:stop]
        if track.present[first:stop].any():
            part[~track.present[first:stop], :, 2] = 0
            track.points[first:stop] = fill_gaps(part, MAX_GAP, skeleton.VISIBLE_SCORE)
    return track


def _heights(frame: Mapping[str, Any], number: int) -> list[float]:
    """Heights of a frame's people in its own units, the tallest first; who shows few points is left out."""
    heights, wrong = [], WrongLists()
    for person in frame["people"]:
        points = person_points(person, number, wrong)
        seen = points[points[:, 2] >= skeleton.VISIBLE_SCORE, 1]
        if len(seen) >= FEWEST:
            heights.append(max(float(np.ptp(seen)), 1e-6))
    return sorted(heights, reverse=True)
