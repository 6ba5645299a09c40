"""AUDIO of other nodes: every type and shape gives the same sound; an empty one ends no finished run."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

RATE = 16_000


@pytest.fixture(scope="module")
def audio(pack):
    return pack("nodes.comfy.audio")


@pytest.fixture
def error(pack):
    return pack("mmgt_core.base.errors").InputError


def sound(channels: int = 2) -> torch.Tensor:
    time = torch.arange(RATE) / RATE
    return torch.stack([0.4 * torch.sin(6.28 * (200 + 50 * c) * time) for c in range(channels)])


class Lazy(Mapping):
    """As some packs' loaders give it: no dict, and decoded when it is first read."""

    def __init__(self, **values):
        self.values_ = values

    def __getitem__(self, key):
        return self.values_[key]

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


FORMS = {
    "float32": (lambda s: s[None], 0.0),
    "float64": (lambda s: s[None].double(), 0.0),
    "float16": (lambda s: s[None].half(), 1e-3),
    "bfloat16": (lambda s: s[None].bfloat16(), 4e-3),
    "int16": (lambda s: (s[None] * 2**15).round().to(torch.int16), 2**-15),
    "int32": (lambda s: (s[None].double() * 2**31).round().to(torch.int32), 1e-6),
    "uint8": (lambda s: (s[None] * 128 + 128).round().to(torch.uint8), 2**-7),
    "no batch": (lambda s: s, 0.0),
    "not contiguous": (lambda s: s.T.contiguous().T[None], 0.0),
    "with a gradient": (lambda s: s[None].clone().requires_grad_(), 0.0),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [dict, Lazy])
def test_every_type_and_shape_is_the_same_sound(audio, form, kind):
    make, tolerance = FORMS[form]
    with torch.inference_mode(False):
        given = kind(waveform=make(sound()), sample_rate=RATE)
    voice = torch.from_numpy(audio.to_waveform(given).samples)
    torch.testing.assert_close(voice, sound().mean(dim=0), atol=tolerance + 1e-7, rtol=0)
    kept = audio.channels_of(given)
    assert len(kept) == 2 and kept[0].rate == RATE
    cut = audio.cut_audio(given, 0.1, 10)
    assert cut["waveform"].dtype == torch.float32 and cut["waveform"].shape == (1, 2, RATE * 10 // 25)
    wanted = sound()[None, :, 1_600:8_000]
    torch.testing.assert_close(cut["waveform"], wanted, atol=tolerance + 1e-7, rtol=0)


def test_one_dimension_is_mono(audio):
    given = {"waveform": sound(1)[0], "sample_rate": RATE}
    assert torch.equal(torch.from_numpy(audio.to_waveform(given).samples), sound(1)[0])


def test_surround_keeps_the_level_of_its_center(audio):
    values = torch.zeros(6, RATE)
    values[2] = sound(1)[0]
    (kept,) = audio.channels_of({"waveform": values[None], "sample_rate": RATE})
    torch.testing.assert_close(torch.from_numpy(kept.samples), values[2], atol=1e-6, rtol=0)


def test_opposite_phase_is_as_the_mono_file(audio):
    one, notes = sound(1)[0], []
    given = {"waveform": torch.stack([one, -one])[None], "sample_rate": RATE}
    assert torch.equal(torch.from_numpy(audio.to_waveform(given, notes.append).samples), one)
    assert len(notes) == 1 and "opposite phase" in notes[0]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"waveform": torch.zeros(2, 1, RATE), "sample_rate": RATE}, "a batch of 2 recordings"),
        ({"waveform": torch.zeros(1, 1, 1, RATE), "sample_rate": RATE}, "shape"),
        ({"waveform": torch.zeros(RATE, 2), "sample_rate": RATE}, "16000 channels"),
        ({"waveform": torch.zeros(1, 1, RATE, dtype=torch.int64), "sample_rate": RATE}, "int64"),
        ({"samples": torch.zeros(1, 1, RATE)}, "not an AUDIO"),
        ("speech.wav", "not an AUDIO"),
        (None, "the audio is empty"),
        ({"waveform": torch.zeros(1, 2, 0), "sample_rate": RATE}, "the audio is empty"),
        ({"waveform": torch.zeros(0, 2, 0), "sample_rate": RATE}, "the audio is empty"),
    ],
)
def test_what_is_no_audio_is_refused_in_a_sentence(audio, error, value, words):
    with pytest.raises(error, match=words) as caught:
        audio.to_waveform(value)
    assert "; " in str(caught.value) and "\n" not in str(caught.value)


def features(pack, **inputs):
    execute = pack("nodes.audio_features").LoadAudioFeatures.execute
    return execute(**{"start": 0.0, "duration": 0.0, "silence_gate": True} | inputs)


def test_leads_shift_features_and_sound_together(pack):
    given = {"waveform": sound()[None], "sample_rate": RATE}
    plain, led = features(pack, audio=given).args, features(pack, audio=given, lead_in=0.4, lead_out=0.2).args
    assert led[1] == plain[1] + 15
    waveform = led[3]["waveform"]
    assert waveform.shape[-1] == led[1] * RATE // 25
    assert not waveform[..., :6_400].any() and not waveform[..., 6_400 + RATE :].any()
    assert torch.equal(waveform[..., 6_400 : 6_400 + RATE], given["waveform"])
    middle = slice(5, 20)
    wanted, found = (out[0].features.stage2 for out in (plain, led))
    torch.testing.assert_close(found[10:][middle], wanted[middle], atol=1e-4, rtol=0)


def test_remarks_are_shown_on_the_node(pack):
    one = sound(1)[0]
    shown = features(pack, audio={"waveform": torch.stack([one, -one])[None], "sample_rate": RATE}).ui["text"]
    assert any("opposite phase" in text for text in shown)
    assert any("lead_in" in text for text in shown), "it speaks at once"
    shown = features(pack, audio={"waveform": torch.zeros(1, 1, RATE), "sample_rate": RATE}).ui["text"]
    assert shown == ["The recording is silent: the mouth will stay closed."]
