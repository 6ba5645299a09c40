"""Stage II as Ray actors: they make videos, compute windows of them, or decode and encode them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .helpers import Helpers
from .outcome import Outcome
from .workers import RunSettings, Worker

if TYPE_CHECKING:
    from torch import Tensor

    from ..pipeline.conditions import ClipInputs
    from ..pipeline.request import VideoRequest
    from ..pipeline.settings import Settings
    from ..pose.motion import Motion
    from ..video.model import VideoModel


class Stage2Worker(Worker):
    """A worker that keeps the Stage II model."""

    def _load(self) -> None:
        self._model()

    def _model(self) -> VideoModel:
        from ..base.device import choose_device, choose_dtype
        from ..checkpoints.speaker_adapter import adapted_stages

        chosen = adapted_stages(self._settings.speaker.chosen(), ("motion", "video"), lambda _: None)
        device = choose_device(self._settings.device)
        dtype = choose_dtype(self._settings.video.dtype, device)
        return self._parts().video_model(self._settings.video, device, dtype, chosen.get("video"))


class WindowWorker(Stage2Worker):
    """A helper: windows of the clip that a `VideoWorker` makes."""

    stage = "windows"

    def begin(self, inputs: ClipInputs) -> None:
        """The next clip; see `WindowServer.begin`."""
        from ..pipeline.encoders import file_encoders
        from ..pipeline.window_server import WindowServer

        if "server" not in self._kept:
            model = self._model()
            encoders = file_encoders(wav2vec2=self._settings.video.wav2vec2, device=model.device)
            self._kept["server"] = WindowServer(model, encoders)
        self._kept["server"].begin(inputs)

    def predict(
        self, windows: Sequence[Sequence[int]], timestep: int, latents: Tensor, conditional: tuple[bool, ...]
    ) -> Tensor:
        """As `WindowServer.predict`."""
        start = time.monotonic()
        v = self._kept["server"].predict(windows, timestep, latents, conditional)
        self._counts(self.stage, Outcome("done"), time.monotonic() - start)
        return v


class VideoWorker(Stage2Worker):
    """Stage II, decoding and encoding; a motion that the job brings itself is read here."""

    stage = "video"

    def __init__(self, run: RunSettings, device: str):
        super().__init__(run, device)
        self._helpers = Helpers(run, device, WindowWorker)

    def _make(
        self, request: VideoRequest, settings: Settings, motion: Motion | None, latents: Tensor | None
    ) -> tuple[Outcome, Tensor | None]:
        from ..pipeline.generate import generate_video

        handed: list[Tensor] = []
        hand_over = handed.append if self._run.hand_over else None
        parts = dataclasses.replace(self._parts(motion), helpers=self._helpers.ready(), hand_over=hand_over)
        try:
            made = generate_video(request, settings, parts=parts)
        finally:
            model = self._kept.get("video")
            if model is not None and model.device.type == "meta":  # given up for one in fp32
                self._give_up("video")
        if handed:
            return Outcome("latents", frames=made.frames), handed[0]
        return Outcome("done", frames=made.frames), None


class FinishWorker(Worker):
    """Decoding and encoding of what a `VideoWorker` sampled."""

    stage = "finish"

    def _load(self) -> None:
        import torch

        from ..base.device import choose_device

        self._decoder()(self._settings.video, choose_device(self._settings.device), torch.float32, None)

    def _decoder(self) -> Callable[..., VideoModel]:
        """A loader that loads once what decodes; speakers do not change it."""
        from ..pipeline.parts import load_decoding_part

        return self._keep("decoder", load_decoding_part, samples=False)

    def _make(
        self, request: VideoRequest, settings: Settings, motion: Motion | None, latents: Tensor | None
    ) -> tuple[Outcome, None]:
        from ..pipeline.generate import generate_video
        from ..pipeline.parts import Parts
        from ..pipeline.settings import WorkSettings

        settings = dataclasses.replace(settings, work=WorkSettings(keep_work=False))
        parts = Parts(video_model=self._decoder(), motion=motion, latents=latents)
        made = generate_video(request, settings, parts=parts)
        return Outcome("done", frames=made.frames), None
