"""Ten minutes of speech with the shipped demo model on the CPU: length, sync, memory, and a look at it."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.base.timebase import FPS
from mmgt_core.lab.presenter import speech
from mmgt_core.media.contact_sheet import contact_sheet
from mmgt_core.media.images import save_image
from mmgt_core.media.sound_file import save_wav
from mmgt_core.pipeline.kept_work import MOTION
from mmgt_core.pose.motion import Motion
from mmgt_core.work.folder import WorkFolder

BLOCK = 10  # seconds of one paragraph
MINUTE = 60 * FPS
SPAN = 10 * FPS  # frames on either side of a minute in which its sync is measured
SEARCHED = 6  # frames by which image and truth are shifted against each other
LIKENESS = 0.8  # least correlation around a minute; measured 0.90 to 0.93
LATENT_COPIES = 4
LATENTS_PER_MINUTE = MINUTE * 4 * 32 * 32 * 4  # bytes, float32, at the demo model's 256 pixels
RESULTS = Path("output/long_speech")  # looked at by people


def make_speech(path: Path, blocks: int) -> np.ndarray:
    """Write paragraphs of exactly 10 s each; returns the true opening of the mouth in every frame."""
    from mmgt_core.lab.presenter.clip import fit
    from mmgt_core.lab.presenter.demo_inputs import IDENTITY_SEEDS, VOICE
    from mmgt_core.lab.presenter.identity import sample_identity
    from mmgt_core.lab.presenter.motion_rules import perform
    from mmgt_core.lab.presenter.sentences import paragraph
    from mmgt_core.media.waveform import Waveform

    identity, sounds, openings = sample_identity(IDENTITY_SEEDS[0]), [], []
    for block in range(blocks):
        text = paragraph(900_000 + block, 3, held_out=True)
        utterance = fit(speech.speak(text, VOICE, before=0.3), float(BLOCK))
        sounds.append(utterance.samples)
        openings.append(perform(utterance.phonemes, utterance.seconds, identity, block).aperture)
    save_wav(path, Waveform(np.concatenate(sounds), utterance.rate))
    return np.concatenate(openings)


def generate(sound: Path, out: Path, root: Path) -> tuple[float, int]:
    """Run the command in a process of its own; returns its seconds and its peak memory in bytes."""
    command = [sys.executable, "-m", "mmgt_core", "generate", "--device", "cpu", "--keep-finished"]
    command += ["--image", str(assets.asset(assets.PORTRAIT)), "--keypoints", str(assets.asset(assets.POSE))]
    command += ["--audio", str(sound), "--out", str(out), "--work-dir", str(root)]
    begin, peak = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        reader = threading.Thread(target=process.stderr.read)
        reader.start()
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status")
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
            peak = max(peak, int(found[1]) * 1024 if found else 0)
            time.sleep(1)
        reader.join()
    assert process.returncode == 0
    return time.monotonic() - begin, peak


def kept_motion(root: Path) -> Motion:
    (folder,) = root.iterdir()
    with WorkFolder.open(root, folder.name + "0" * 48) as work:
        kept = work.load(MOTION)
    assert kept is not None
    return Motion(kept.tensors["keypoints"], int(kept.values["width"]), int(kept.values["height"]))


def look(path: Path, motion: Motion, minutes: int) -> tuple[int, list[np.ndarray], list[np.ndarray]]:
    """(frames, one image a minute, the mouth's opening in the pixels around each minute)."""
    from mmgt_core.lab.presenter.mouth_meter import mouth_opening

    pictures, spans, frames = [], [[] for _ in range(minutes)], 0
    with av.open(str(path)) as container:
        for frames, frame in enumerate(container.decode(video=0), 1):  # noqa: B007 - counts them
            index = frames - 1
            minute = (index + SPAN) // MINUTE
            wanted = 1 <= minute <= minutes and abs(index - minute * MINUTE) <= SPAN
            if wanted or index % MINUTE == 0:
                picture = frame.to_ndarray(format="rgb24")
            if wanted:
                spans[minute - 1].append((index, picture))
            if index % MINUTE == 0:
                pictures.append(picture)
    openings = []
    for span in spans:
        indices = [index for index, _ in span]
        openings.append((indices, mouth_opening(np.stack([p for _, p in span]), motion.window(indices))))
    return frames, [*pictures, picture], openings


def lag(opening: np.ndarray, truth: np.ndarray, indices: list[int]) -> tuple[int, float]:
    """By how many frames the image is late against the truth, and the correlation at that shift."""
    best = max(range(-SEARCHED, SEARCHED + 1), key=lambda shift: correlation(opening, truth, indices, shift))
    return best, correlation(opening, truth, indices, best)


def correlation(opening: np.ndarray, truth: np.ndarray, indices: list[int], shift: int) -> float:
    inner = slice(SEARCHED, len(indices) - SEARCHED)
    there = np.array(indices[inner]) - shift
    there = there.clip(0, len(truth) - 1)
    return float(np.corrcoef(opening[inner], truth[there])[0, 1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
@pytest.mark.skipif(not speech.available(), reason="libespeak-ng is not installed")
def test_a_ten_minute_speech(tmp_path, capfd):
    minutes = 10
    truth = make_speech(tmp_path / "speech.wav", minutes * 60 // BLOCK)
    make_speech(tmp_path / "minute.wav", 60 // BLOCK)
    RESULTS.mkdir(parents=True, exist_ok=True)
    _, short = generate(tmp_path / "minute.wav", tmp_path / "minute.mp4", tmp_path / "short")
    out = RESULTS / "ten_minutes.mp4"
    seconds, peak = generate(tmp_path / "speech.wav", out, tmp_path / "long")
    growth = (peak - short) / (minutes - 1)

    frames, pictures, openings = look(out, kept_motion(tmp_path / "long"), minutes)
    sheet = contact_sheet(np.stack(pictures), 6, 2, labels=[f"{minute} min" for minute in range(minutes + 1)])
    save_image(RESULTS / "one_frame_a_minute.png", sheet)
    lags = [lag(opening, truth, indices) for indices, opening in openings]
    with capfd.disabled():
        print(f"\n{frames} frames in {seconds / 60:.1f} min ({seconds / frames:.2f} s a frame)")
        print(f"peak memory {peak / 2**20:.0f} MB, of one minute {short / 2**20:.0f} MB: ", end="")
        print(f"{growth / 2**20:.1f} MB a minute, {growth / LATENTS_PER_MINUTE:.2f} copies of the latents")
        for minute, (late, r) in enumerate(lags, 1):
            print(f"minute {minute}: image {late:+d} frames, r {r:.2f}")
    assert frames == minutes * MINUTE == len(truth)
    assert all(abs(late) <= 1 for late, _ in lags)
    assert min(r for _, r in lags) >= LIKENESS
    assert growth <= LATENT_COPIES * LATENTS_PER_MINUTE
