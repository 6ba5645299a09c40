"""Makes the part of one source: looks at it, filters it, cuts it into clips, and writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError
from ...base.timebase import FPS, SAMPLES_PER_FRAME
from ...media.opening import open_media
from ...media.video_reader import iterate_shown
from ...media.waveform import Waveform
from ..dataset.arrays import to_npy
from ..dataset.clip import ClipInfo
from ..dataset.encode import ClipVideo, flac, quantized
from ..dataset.layout import MOTION, SOUND, VIDEO, array_layouts
from . import faults as filter_
from .cropping import Square, square_around
from .examples import ExampleCollector
from .jobs import NO_POSES, NO_SOUND, POSES, UNREADABLE, Job, Refused
from .parts import Refusal, write_part
from .poses import Track, track_by_detector, track_from_file
from .stretches import CUT, JUMP, Stretch, choose, frame_range
from .timeline import Timeline, read_timeline
from .tools import Tools
from .voice import load_voice, speaking


class PartMaker:
    """Makes the part of one source.

    Args:
        digest: SHA-256 of the source. poses, vocals: the files beside it.
        step: called about once a second of video; may stop the work by raising.
    """

    def __init__(
        self,
        job: Job,
        digest: str,
        poses: Path | None,
        vocals: Path | None,
        tools: Tools,
        step: Callable[[], None],
    ):
        assert job.source.path is not None, "the caller has looked"
        self._path, self._source, self._settings = job.source.path, job.source, job.settings
        self._digest, self._poses, self._vocals = digest, poses, vocals
        self._tools, self._step = tools, step

    def make(self, part: Path) -> None:
        """Write the part; raises OSError on a full disk."""
        try:
            timeline, voice = self._media()
            cuts = timeline.cuts(self._settings.quality.cut)
            track = self._track(timeline, cuts)
        except Refused as error:
            refusal = Refusal(0.0, 0.0, error.reason, error.detail)
            write_part(part, 0.0, iter(()), [refusal], [])
            return
        size, quality = (timeline.width, timeline.height), self._settings.quality
        measures = filter_.measure(track, speaking(voice), size)
        faults = filter_.frame_faults(measures, track, quality, self._settings.size)
        moved = filter_.jumps(track, measures, quality.jump, size)
        kept, rejected = choose(
            faults,
            dict.fromkeys(moved, JUMP) | dict.fromkeys(cuts, CUT),
            [frame_range(i.start, i.end, timeline.frames) for i in self._source.intervals],
            shortest=round(quality.shortest * FPS),
            longest=round(quality.longest * FPS),
        )
        examples = ExampleCollector(kept, rejected)
        clips = self._clips(kept, timeline, track, measures, voice, examples)
        refusals = [Refusal(one.first / FPS, one.stop / FPS, one.reason) for one in rejected]
        write_part(part, timeline.frames / FPS, clips, refusals, examples.found)

    def _media(self) -> tuple[Timeline, Waveform]:
        """The look at all frames, and the sound on their clock; raises Refused."""
        try:
            with open_media(self._path, "a video", "") as container:
                seen, heard = bool(container.streams.video), bool(container.streams.audio)
            if not seen:
                raise Refused(UNREADABLE, "it has no images")
            if not heard:
                raise Refused(NO_SOUND)
            timeline = read_timeline(self._path, self._each_second)
            return timeline, load_voice(self._path, self._vocals, timeline.frames, timeline.delay)
        except InputError as error:
            raise Refused(UNREADABLE, error.what) from error

    def _track(self, timeline: Timeline, cuts: list[int]) -> Track:
        """The person; raises Refused."""
        try:
            if self._poses is not None:
                return track_from_file(self._poses, timeline, cuts)
            if self._settings.detector_dir is None:
                raise Refused(NO_POSES)
            return track_by_detector(self._tools.detector(), self._path, timeline, cuts, self._each_second)
        except InputError as error:
            raise Refused(POSES, error.what) from error

    def _clips(
        self,
        kept: list[Stretch],
        timeline: Timeline,
        track: Track,
        measures: filter_.Measures,
        voice: Waveform,
        examples: ExampleCollector,
    ) -> Iterator[tuple[ClipInfo, Mapping[str, bytes]]]:
        """The clips one by one, in one pass over the video that also takes the examples."""
        size = (timeline.width, timeline.height)
        squares = [square_around(track.points[one.first : one.stop], size) for one in kept]
        last = examples.last(kept)
        frames = enumerate(iterate_shown(self._path, fps=FPS)) if last >= 0 else iter(())
        number, video = 0, ClipVideo(self._settings.size)
        for frame, (_, image) in frames:
            self._each_second(frame)
            stretch = kept[number] if number < len(kept) else None
            square = squares[number] if stretch is not None and frame >= stretch.first else None
            if stretch is not None and square is not None:
                if frame == stretch.first:
                    video = ClipVideo(self._settings.size)
                    video.__enter__()
                cropped = square.image(image, self._settings.size)
                video.write(cropped)
                examples.look(frame, cropped)
            else:
                examples.look(frame, image)
            if stretch is not None and square is not None and frame == stretch.stop - 1:
                video.__exit__(None, None, None)
                info = self._info(stretch, number, measures, square)
                yield info, self._entries(stretch, track, voice, square, size) | {VIDEO: video.data}
                number += 1
            if frame >= last:
                break

    def _entries(
        self, stretch: Stretch, track: Track, voice: Waveform, square: Square, size: tuple[int, int]
    ) -> dict[str, bytes]:
        part = slice(stretch.first, stretch.stop)
        samples = quantized(
            voice.samples[stretch.first * SAMPLES_PER_FRAME : stretch.stop * SAMPLES_PER_FRAME]
        )
        rows: dict[str, NDArray[np.float32]] = self._tools.features.rows(samples)
        rows[MOTION] = square.points(track.points[part], size)
        layouts = array_layouts(self._settings.speech)
        return {name: to_npy(array, layouts[name]) for name, array in rows.items()} | {SOUND: flac(samples)}

    def _info(self, stretch: Stretch, number: int, measures: filter_.Measures, square: Square) -> ClipInfo:
        part, interval = slice(stretch.first, stretch.stop), self._source.intervals[stretch.interval]
        frames, size = stretch.stop - stretch.first, self._settings.size
        figures = {
            "hands": measures.hands[part].mean(),
            "face": measures.face[part].mean(),
            "front": measures.front[part].mean(),
            "speaking": measures.speaking[part].mean(),
            "shoulders": measures.shoulders[part].mean() / square.side,
            "side": square.side,
        }
        return ClipInfo(
            key=f"{self._digest[:12]}-{number:03d}",
            speaker=interval.speaker,
            source=self._digest,
            start=stretch.first / FPS,
            seconds=frames / FPS,
            frames=frames,
            width=size,
            height=size,
            license=interval.license,
            quality={name: round(float(value), 4) for name, value in figures.items()},
        )

    def _each_second(self, frame: int) -> None:
        if frame % FPS == 0:
            self._step()
