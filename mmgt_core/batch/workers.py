"""What all Ray actors share, and that of Stage I: plain classes, which keep their model from job to job."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..base.errors import MMGTError
from ..pipeline.settings import Settings
from .jobs import BatchJob, file_state
from .metrics import counters
from .outcome import Outcome
from .results import Results
from .storage import fetched

if TYPE_CHECKING:
    from torch import Tensor

    from ..pipeline.parts import Parts
    from ..pipeline.request import VideoRequest
    from ..pose.motion import Motion


@dataclass(frozen=True)
class RunSettings:
    """What all jobs of a run have in common.

    Attributes:
        out: folder of the results, a path or an address.
        folder: name of the folder within it for receipts and unfinished files.
        settings: of every job, where it makes no choice of its own.
        files: addresses of input files, for jobs that name none.
        detector: folder of the pose detector.
        threads: of PyTorch in each worker.
        helpers: of each worker of Stage II; helper_options: Ray's resources of one.
        hand_over: workers of Stage II leave decoding and encoding to others.
        key: stands for these settings in `BatchJob.key`.
    """

    out: str
    folder: str
    settings: Settings = field(default_factory=Settings)
    files: dict[str, str] = field(default_factory=dict)
    detector: Path | None = None
    threads: int = 1
    helpers: int = 0
    helper_options: dict[str, Any] = field(default_factory=dict)
    hand_over: bool = False

    @property
    def key(self) -> str:
        """Text that changes with what changes all videos; as the driver sees the files."""
        work = type(self.settings.work)(keep_work=False)
        files = [(name, text, file_state(text)) for name, text in sorted(self.files.items())]
        return repr((dataclasses.replace(self.settings, work=work), files, self.detector))


class Worker:
    """What both stages share; subclasses set `device` and `_make`.

    A worker never raises for a job: an exception that reaches Ray is one of the machinery.
    """

    stage = ""

    def __init__(self, run: RunSettings, device: str):
        import torch

        torch.set_num_threads(run.threads)
        self._run, self._results = run, Results(run.out, run.folder)
        self._settings = dataclasses.replace(run.settings, device=device)
        self._kept: dict[str, Any] = {}
        self._ready: dict[str, ExitStack] = {}
        self._counts = counters()

    def ready(self, version: str) -> str | None:
        """Load the model, so that the first job does not wait; returns what makes every job fail."""
        if version != __version__:
            return f"mmgt {__version__} is installed on a node, {version} where mmgt batch runs"
        try:
            self._load()
        except MMGTError as error:
            return str(error).rstrip(".")
        return None

    def perform(
        self, job: BatchJob, key: bytes, motion: Motion | None = None, latents: Tensor | None = None
    ) -> tuple[Outcome, Motion | Tensor | None]:
        """(what came of it, what it made for the next stage).

        Args:
            key: that of the job, as the driver knows it.
            motion, latents: of the stages before.
        """
        made: Motion | Tensor | None
        start = time.monotonic()
        try:
            if self._results.finished(job.file, key):
                return Outcome("done"), None
            with self._request(job) as (request, settings):
                outcome, made = self._make(request, settings, motion, latents)
                if outcome.kind == "done":
                    self._results.publish(request.out, job.file, key)
        except MMGTError as error:
            outcome, made = _own_fault(error), None
        except OSError as error:  # a full disk, a storage that is away: not the job's fault
            outcome, made = Outcome("again", f"{type(error).__name__}: {_line(error)}"), None
        except Exception as error:
            outcome, made = Outcome("failed", f"{type(error).__name__}: {_line(error)}"), None
        self._counts(self.stage, outcome, time.monotonic() - start)
        return outcome, made

    @contextmanager
    def _request(self, job: BatchJob) -> Iterator[tuple[VideoRequest, Settings]]:
        """The job as `generate_video` takes it; its result goes into a folder that ends with the block."""
        import shutil

        folder = self._results.place.scratch()
        try:
            addresses = {**self._run.files, **job.chosen.files}
            files = {name: fetched(text, f"in-{name}", folder) for name, text in addresses.items()}
            request = job.chosen.request(files, folder / job.file)
            yield dataclasses.replace(request, detector_dir=self._run.detector), self._settings_of(job)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _settings_of(self, job: BatchJob) -> Settings:
        settings = job.chosen.applied_to(self._settings)
        if job.seed is not None:
            sampling = dataclasses.replace(settings.sampling, seed=job.seed)
            settings = dataclasses.replace(settings, sampling=sampling)
        if job.consent is not None:
            marks = dataclasses.replace(settings.marks, consent=job.consent)
            settings = dataclasses.replace(settings, marks=marks)
        return settings

    def _keep(self, name: str, load: Callable[..., Any], samples: bool = True) -> Callable[..., Any]:
        """A loader that loads once: all jobs of a run have the same models.

        Args:
            samples: keep the model ready to sample.
        """

        def kept(*args: Any) -> Any:
            if name not in self._kept:
                model = load(*args)
                self._ready[name] = ExitStack()
                if samples:
                    self._ready[name].enter_context(model.ready())
                self._kept[name] = model
            return self._kept[name]

        return kept

    def _give_up(self, name: str) -> None:
        """Forget a model, whose weights are ordinary ones again."""
        self._ready.pop(name).close()
        del self._kept[name]

    def _parts(self, motion: Motion | None = None) -> Parts:
        from ..pipeline.parts import Parts, load_motion_part, load_video_part

        load = self._keep("motion", load_motion_part), self._keep("video", load_video_part)
        return Parts(*load, motion)

    def _load(self) -> None:
        raise NotImplementedError

    def _make(
        self, request: VideoRequest, settings: Settings, motion: Motion | None, latents: Tensor | None
    ) -> tuple[Outcome, Motion | Tensor | None]:
        raise NotImplementedError


class MotionWorker(Worker):
    """Audio features and Stage I."""

    stage = "motion"

    def _load(self) -> None:
        from ..checkpoints.speaker_adapter import adapted_stages

        chosen = adapted_stages(self._settings.speaker.chosen(), ("motion", "video"), lambda _: None)
        self._parts().motion_model(self._settings.motion, self._settings.device, chosen.get("motion"))

    def _make(
        self, request: VideoRequest, settings: Settings, motion: Motion | None, latents: Tensor | None
    ) -> tuple[Outcome, Motion]:
        from ..pipeline.generate import video_motion

        made = video_motion(request, settings, parts=self._parts())
        return Outcome("motion", frames=made.frames), made


def _own_fault(error: MMGTError) -> Outcome:
    """What an error meant for people says about the job: a lock or a full disk are not its fault."""
    from ..base.full_disk import is_full
    from ..work.lock import Busy

    cause = error.__cause__
    if isinstance(cause, Busy):
        return Outcome("busy", _line(error))
    return Outcome("again" if cause is not None and is_full(cause) else "failed", _line(error))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
