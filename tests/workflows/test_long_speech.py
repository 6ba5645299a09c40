"""The `long_speech` workflow on a running ComfyUI: a minute of speech, its memory, Cancel in the middle."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import av
import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.media.sound_file import load_waveform, save_wav
from mmgt_core.media.waveform import Waveform

from ..live_host import ROOT, LiveHost, needs_host

pytestmark = [pytest.mark.slow, needs_host]
SHORT, LONG = 5, 60  # seconds
SIDE = 256  # pixels, the demo model's own
LATENT_COPIES, LATENTS_PER_MINUTE = 4, 60 * 25 * 4 * (SIDE // 8) ** 2 * 4 / 2**20  # MB
RATE = 16_000
LIMIT = 3600  # seconds for a run, on a machine that does other things too


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host of its own with the inputs that the workflow names, the speech as long as wanted."""
    live = LiveHost(tmp_path_factory.mktemp("host"), pack=True)
    try:
        speech = load_waveform(assets.asset(assets.SPEECH)).resampled(RATE)
        inputs = live.folder / "input"
        for seconds in (SHORT, LONG):
            samples = np.resize(speech.samples, seconds * RATE)
            save_wav(inputs / f"speech_{seconds}.wav", Waveform(samples, RATE))
        shutil.copy(assets.asset(assets.PORTRAIT), inputs / "portrait.png")
        shutil.copy(assets.asset(assets.POSE), inputs / "portrait_pose.json")
        yield live.wait()
    finally:
        live.stop()


def post(host: LiveHost, path: str, body: Any) -> Any:
    request = Request(f"{host.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def queue(host: LiveHost, seconds: int, **sampler: Any) -> str:
    """Queue the workflow for so much speech -> the prompt's id."""
    prompt = json.loads((ROOT / "example_workflows/api/long_speech.json").read_text(encoding="utf-8"))
    for node in prompt.values():
        if node["class_type"] == "LoadAudio":
            node["inputs"]["audio"] = f"speech_{seconds}.wav"
        if node["class_type"] == "MMGTSampler":
            node["inputs"] |= sampler
    body = {"prompt": prompt, "client_id": "test", "prompt_id": str(uuid.uuid4())}
    return post(host, "/prompt", body)["prompt_id"]


def finished(host: LiveHost, prompt: str) -> dict[str, Any]:
    """The history of a prompt, when it has ended."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        history: dict[str, Any] = {}
        with contextlib.suppress(OSError):  # a machine under load may let it wait for longer than it is asked
            history = host.get(f"/history/{prompt}")
        if prompt in history:
            return history[prompt]
        time.sleep(0.5)
    pytest.fail(f"the prompt did not end within {LIMIT} s: {host.log()[-2000:]}")


def wait_until_running(host: LiveHost, prompt: str) -> None:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if any(entry[1] == prompt for entry in host.get("/queue")["queue_running"]):
                return
        time.sleep(0.1)
    pytest.fail(f"the prompt did not begin within {LIMIT} s: {host.log()[-2000:]}")


def video_of(host: LiveHost, history: dict[str, Any]) -> Path:
    assert history["status"]["status_str"] == "success", history["status"]
    shown = [output["images"][0] for output in history["outputs"].values() if "images" in output]
    saved = next(entry for entry in shown if entry["type"] == "output")
    return host.folder / "output" / saved["subfolder"] / saved["filename"]


def peak(host: LiveHost) -> float:
    """Largest resident memory of the host so far, MB."""
    status = Path(f"/proc/{host._process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_minute_of_speech_and_cancel(host, capsys):
    """Frames, sound and sync are exact; memory grows with the compact parts of the clip alone."""
    begin = time.monotonic()
    video_of(host, finished(host, queue(host, SHORT)))
    short_seconds, short_peak = time.monotonic() - begin, peak(host)

    begin = time.monotonic()
    path = video_of(host, finished(host, queue(host, LONG)))
    long_seconds, long_peak = time.monotonic() - begin, peak(host)
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(container.streams.video[0]))
        assert container.streams.video[0].average_rate == 25
    sound = load_waveform(path).resampled(RATE)
    given = load_waveform(host.folder / "input" / f"speech_{LONG}.wav").resampled(RATE)
    assert frames == LONG * 25
    assert abs(sound.seconds - LONG) < 0.05
    offsets = [offset_of(sound, given, second) for second in range(5, LONG - 5, 10)]
    assert max(map(abs, offsets)) <= 0.01, offsets

    stopped = queue(host, LONG, seed=9)  # all but sampling and decoding is remembered
    wait_until_running(host, stopped)
    pressed = time.monotonic()
    post(host, "/interrupt", {})
    status = finished(host, stopped)["status"]
    cancel_seconds = time.monotonic() - pressed
    assert "execution_interrupted" in [message[0] for message in status["messages"]], status
    growth = (long_peak - short_peak) / ((LONG - SHORT) / 60)
    with capsys.disabled():
        print(
            f"\nlong_speech at {SIDE} px: {SHORT} s in {short_seconds:.0f} s, peak {short_peak:.0f} MB; "
            f"{LONG} s in {long_seconds:.0f} s, peak {long_peak:.0f} MB: {growth:.0f} MB a minute, "
            f"{growth / LATENTS_PER_MINUTE:.1f} copies of the latents; Cancel "
            f"took {cancel_seconds:.2f} s; sound off by at most {max(map(abs, offsets)) * 1000:.1f} ms"
        )
    assert growth <= LATENT_COPIES * LATENTS_PER_MINUTE


def offset_of(sound: Waveform, given: Waveform, second: int) -> float:
    """How much later the sound comes than it was given around that second, in seconds."""
    first, length, reach = second * RATE, RATE, RATE // 10
    window = sound.samples[first : first + length].astype(np.float64)
    around = given.samples[first - reach : first + length + reach].astype(np.float64)
    likeness = np.correlate(around, window, "valid")
    return (reach - int(likeness.argmax())) / RATE
