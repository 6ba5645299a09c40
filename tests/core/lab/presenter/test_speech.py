"""Speech by espeak-ng, sentences, clips and demo inputs; skipped where the library is absent."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.base.errors import DependencyError, InputError
from mmgt_core.base.timebase import SAMPLE_RATE
from mmgt_core.lab.presenter import speech
from mmgt_core.lab.presenter.clip import fit, make_clip
from mmgt_core.lab.presenter.demo_inputs import IDENTITY_SEEDS, demo_utterance, write_demo_inputs
from mmgt_core.lab.presenter.figure import rest_pose
from mmgt_core.lab.presenter.identity import sample_identity
from mmgt_core.lab.presenter.motion_rules import perform
from mmgt_core.lab.presenter.phonemes import is_vowel
from mmgt_core.lab.presenter.sentences import paragraph, sentence
from mmgt_core.lab.presenter.speech import Voice, joined, sample_voice, silence, speak
from mmgt_core.pose import skeleton
from mmgt_core.pose.openpose import read_pose_file

needs_espeak = pytest.mark.skipif(not speech.available(), reason="libespeak-ng is not installed")


def test_sentences_are_many_and_split():
    train = {sentence(seed) for seed in range(3000)}
    held_out = {sentence(seed, held_out=True) for seed in range(300)}
    assert len(train) > 2700
    assert not train & held_out
    assert sentence(5) == sentence(5)
    assert paragraph(1, 3).count(" ") > paragraph(1, 1).count(" ")


def test_voices_are_split():
    def variants(held_out: bool) -> set[str]:
        return {sample_voice(seed, held_out=held_out).name.split("+")[1] for seed in range(400)}

    assert not variants(False) & variants(True)
    assert sample_voice(3) == sample_voice(3)


def test_silence_needs_no_library():
    quiet = silence(1.5)
    assert quiet.seconds == 1.5 and not quiet.samples.any() and quiet.phonemes[0].symbol == ""


def test_a_missing_library_is_named(monkeypatch):
    def absent(name):
        raise OSError(name)

    monkeypatch.setattr(speech.ctypes, "CDLL", absent)
    with pytest.raises(DependencyError, match="apt-get install espeak-ng"):
        speak("hello")
    assert not speech.available()


@needs_espeak
def test_speech_has_timed_phonemes():
    said = speak("Maybe my mother bought a big map.", Voice("en-us", 150), before=0.5, after=0.25)
    phonemes = said.phonemes
    assert said.rate == SAMPLE_RATE and said.samples.dtype == np.float32
    assert phonemes[0].start == 0 and phonemes[-1].end == pytest.approx(said.seconds, abs=1e-3)
    assert all(
        a.end == pytest.approx(b.start, abs=1e-3) for a, b in zip(phonemes, phonemes[1:], strict=False)
    )
    assert all(0 <= p.loudness <= 1 for p in phonemes)
    letters = "".join(p.symbol for p in phonemes)
    assert letters.count("m") == 4 and letters.count("b") == 3 and letters.count("p") == 1
    stressed = [p for p in phonemes if p.stress == 2]
    assert 4 <= len(stressed) <= 6 and all(is_vowel(p.symbol) for p in stressed)
    # The sound is where the phonemes say: silence before, speech in the vowels.
    assert not said.samples[: int(0.45 * SAMPLE_RATE)].any()
    for p in stressed:
        assert np.abs(said.samples[int(p.start * SAMPLE_RATE) : int(p.end * SAMPLE_RATE)]).max() > 0.03


@needs_espeak
def test_speech_is_the_same_twice_and_from_threads():
    texts = [sentence(seed) for seed in range(4)]
    alone = [speak(text, sample_voice(i)) for i, text in enumerate(texts)]
    together: dict[int, speech.Utterance] = {}
    threads = [
        threading.Thread(target=lambda i=i: together.update({i: speak(texts[i], sample_voice(i))}))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, one in enumerate(alone):
        assert np.array_equal(one.samples, together[i].samples)
        assert one.phonemes == together[i].phonemes


@needs_espeak
def test_voices_speeds_and_pitches_sound_different():
    text = "A good cup of coffee."
    plain, fast = speak(text, Voice()), speak(text, Voice(speed=230))
    assert fast.seconds < 0.85 * plain.seconds
    assert not np.array_equal(plain.samples, speak(text, Voice(pitch=80)).samples)
    assert not np.array_equal(plain.samples, speak(text, Voice("en-us+f3")).samples)


@needs_espeak
def test_every_voice_of_both_pools_exists():
    for variant in speech._VARIANTS + speech._HELD_OUT_VARIANTS:
        assert speak("No.", Voice(f"en-us+{variant}")).seconds > 0.1
    for accent in set(speech._ACCENTS):
        assert speak("No.", Voice(accent)).seconds > 0.1


@needs_espeak
def test_unusable_requests_are_refused():
    with pytest.raises(InputError, match="no voice"):
        speak("hello", Voice("no-such-voice"))
    with pytest.raises(InputError, match="says nothing"):
        speak("")


@needs_espeak
def test_a_clip_follows_from_its_seed():
    one, again, other = make_clip(1, sentences=1), make_clip(1, sentences=1), make_clip(2, sentences=1)
    assert one.utterance.text == again.utterance.text != other.utterance.text
    assert np.array_equal(one.performance.motion.keypoints, again.performance.motion.keypoints)
    assert np.array_equal(one.picture(10, 64), again.picture(10, 64))
    assert one.portrait(64).shape == (64, 64, 3)
    exact = make_clip(1, seconds=3.2)
    assert exact.frames == 80 and len(exact.utterance.samples) == 51200


@needs_espeak
def test_fit_pads_and_cuts():
    said = speak("Hello there.")
    longer, shorter = fit(said, said.seconds + 1), fit(said, 0.4)
    assert longer.seconds == pytest.approx(said.seconds + 1, abs=1e-3) and longer.phonemes[-1].symbol == ""
    assert shorter.seconds == pytest.approx(0.4) and shorter.phonemes[-1].end <= 0.4


@needs_espeak
def test_joined_utterances_keep_their_sounds_in_place():
    parts = [speak("Hello.", before=0.2), speak("All is well.", before=0.5)]
    whole = joined(parts, after=0.3)
    assert len(whole.samples) == sum(len(p.samples) for p in parts) + 4800
    assert whole.phonemes[0].start == 0 and whole.phonemes[-1].end == pytest.approx(whole.seconds)
    times = [(p.start, p.end) for p in whole.phonemes]
    assert all(end == pytest.approx(start, abs=1e-4) for (_, end), (start, _) in pairwise(times))
    second = [p for p in whole.phonemes if p.start >= parts[0].seconds - 1e-9]
    assert [p.symbol for p in second[:-1]] == [p.symbol for p in parts[1].phonemes]
    assert second[1].start == pytest.approx(parts[0].seconds + parts[1].phonemes[1].start)


@needs_espeak
def test_demo_inputs_are_the_shipped_ones(tmp_path):
    *faces, sound = write_demo_inputs(tmp_path)
    assert [path.name for path in faces] == [name for pair in assets.PORTRAITS for name in pair]
    for seed, (portrait, pose) in zip(IDENTITY_SEEDS, assets.PORTRAITS, strict=True):
        written = read_pose_file(tmp_path / pose).keypoints  # to a hundredth of its 512 pixels
        assert np.allclose(written[0], rest_pose(sample_identity(seed)), atol=0.0051 / 512)
        assert np.allclose(read_pose_file(assets.asset(pose)).keypoints, written, atol=1e-6)
        assert (tmp_path / portrait).read_bytes()[:4] == b"\x89PNG"
    assert sound.read_bytes()[:4] == b"RIFF"
    assert abs(assets.asset(assets.SPEECH).stat().st_size - sound.stat().st_size) < 3200


@needs_espeak
def test_in_the_demo_hands_rest_rise_and_beat_and_eyes_blink():
    utterance = demo_utterance()
    assert 8 <= utterance.seconds <= 10
    shown = perform(utterance.phonemes, utterance.seconds, sample_identity(IDENTITY_SEEDS[0]))
    rests = shown.activity < 0.05
    pauses = np.flatnonzero(np.diff(rests.astype(int)) == 1)
    assert len(pauses) == 3 and (shown.beats > 0.3).sum() >= 8
    eyes = shown.motion.keypoints[:, skeleton.LEFT_EYE_RING, 1].numpy()
    shut = np.ptp(eyes, axis=1) < 0.6 * np.ptp(eyes[0])
    assert (np.diff(shut.astype(int)) == 1).sum() >= 3
