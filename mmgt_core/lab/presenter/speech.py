"""Speech by libespeak-ng, called in process: sound at 16 kHz with the timing of every phoneme.

The library keeps its state in C globals, and what it says depends a little on what it said before. So every
utterance loads it afresh, alone behind a lock (about 20 ms): equal requests then give equal samples. Nothing
happens on import.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import difflib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from ...base.errors import DependencyError, InputError
from ...base.timebase import SAMPLE_RATE
from .phonemes import Phoneme, is_vowel

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS, _INITIALIZE_PHONEME_IPA, _INITIALIZE_DONT_EXIT = 0x0001, 0x0002, 0x8000
_EVENT_END, _EVENT_PHONEME = 0, 7
_CHARS_UTF8 = 1
_PHONEMES_IPA = 0x02
_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_LOUDNESS_RANGE = 30.0  # dB below the loudest speech that count as silent
_LEVEL = 0.09  # root mean square of speech that every utterance is scaled to
_LOCK = threading.Lock()

_ACCENTS = ("en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-us", "en-us")
_VARIANTS = (
    "m1", "m2", "m3", "m5", "m7", "m8", "f1", "f2", "f4", "f5", "Alex", "Andy", "Annie", "Denis", "Lee",
    "Mario", "Michael", "adam", "anika", "belinda", "david", "edward", "ed", "grandma", "john", "linda",
    "max", "michel", "norbert", "paul", "quincy", "rob", "robert", "sandro", "steph", "travis", "zac",
)  # fmt: skip
_HELD_OUT_VARIANTS = (
    "m4", "m6", "f3", "Alicia", "Gene", "Hugo", "Marco", "caleb", "marcelo", "shelby", "steph2", "victor",
)  # fmt: skip


@dataclass(frozen=True)
class Utterance:
    """Spoken text.

    Attributes:
        samples: float32 (n,), mono in -1..1.
        rate: Hz (16000).
        phonemes: in time order, pauses included, covering the whole sound.
    """

    samples: np.ndarray
    rate: int
    phonemes: tuple[Phoneme, ...]
    text: str
    voice: str

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclass(frozen=True)
class Voice:
    """How to speak.

    Attributes:
        name: espeak-ng voice, with a variant if wanted: "en-us", "en-gb+f3".
        speed: words per minute, 80..400.
        pitch, pitch_range: 0..100, 50 is the voice's own.
    """

    name: str = "en-us"
    speed: int = 160
    pitch: int = 50
    pitch_range: int = 50


def sample_voice(seed: int, *, held_out: bool = False) -> Voice:
    """The voice with this seed; `held_out` voices (evaluation) share no variant with those for training."""
    rng = np.random.default_rng([0x701CE, seed])
    variant = rng.choice(_HELD_OUT_VARIANTS if held_out else _VARIANTS)
    return Voice(
        name=f"{rng.choice(_ACCENTS)}+{variant}",
        speed=int(rng.integers(125, 191)),
        pitch=int(rng.integers(30, 71)),
        pitch_range=int(rng.integers(40, 81)),
    )


def speak(text: str, voice: Voice = Voice(), *, before: float = 0.0, after: float = 0.0) -> Utterance:
    """Speak `text`, with `before` and `after` seconds of added silence around it.

    Raises:
        DependencyError: libespeak-ng is not installed.
        InputError: the voice does not exist, or the text says nothing.
    """
    with _engine() as engine:
        sound, events = engine.synthesise(text, voice)
        stresses = engine.stressed_phonemes(text)
    if not any(symbol for symbol, _ in events):
        raise InputError("the text says nothing", where="text", fix="give at least one word")
    samples = _level(_resample(sound, engine.rate))
    phonemes = _with_stress(_timed(events, len(sound) / engine.rate), stresses)
    utterance = Utterance(samples, SAMPLE_RATE, tuple(_with_loudness(phonemes, samples)), text, voice.name)
    return pad(utterance, before, after)


def silence(seconds: float) -> Utterance:
    """An utterance that says nothing (needs no espeak-ng)."""
    pause = Phoneme("", 0.0, seconds, loudness=0.0)
    return Utterance(np.zeros(round(seconds * SAMPLE_RATE), np.float32), SAMPLE_RATE, (pause,), "", "")


def pad(utterance: Utterance, before: float, after: float) -> Utterance:
    """The same utterance with that many seconds of silence before and after it."""
    lead, tail = round(before * SAMPLE_RATE), round(after * SAMPLE_RATE)
    samples = np.pad(utterance.samples, (lead, tail))
    shift, end = lead / SAMPLE_RATE, (lead + len(utterance.samples)) / SAMPLE_RATE
    middle = [replace(p, start=p.start + shift, end=p.end + shift) for p in utterance.phonemes]
    quiet = [Phoneme("", 0.0, shift, loudness=0.0)] if lead else []
    trail = [Phoneme("", end, len(samples) / SAMPLE_RATE, loudness=0.0)] if tail else []
    return replace(utterance, samples=samples, phonemes=tuple(quiet + middle + trail))


def joined(utterances: Sequence[Utterance], *, after: float = 0.0) -> Utterance:
    """Utterances of one voice, one after the other, with `after` seconds of silence behind the last."""
    samples = np.concatenate([utterance.samples for utterance in utterances])
    phonemes, start = [], 0.0
    for utterance in utterances:
        phonemes += [replace(p, start=p.start + start, end=p.end + start) for p in utterance.phonemes]
        start += utterance.seconds
    text = " ".join(utterance.text for utterance in utterances)
    whole = replace(utterances[0], samples=samples, phonemes=tuple(phonemes), text=text)
    return pad(whole, 0.0, after)


def available() -> bool:
    """Whether libespeak-ng can be used on this machine."""
    try:
        with _engine():
            return True
    except DependencyError:
        return False


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Engine:
    """The freshly initialized library."""

    def __init__(self, library: ctypes.CDLL):
        options = _INITIALIZE_PHONEME_EVENTS | _INITIALIZE_PHONEME_IPA | _INITIALIZE_DONT_EXIT
        self.library = library
        self.rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, None, options)
        if self.rate <= 0:
            raise _missing("libespeak-ng does not start (are its voice data installed?)")
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self.blocks: list[np.ndarray] = []
        self.events: list[tuple[str, float]] = []
        self.callback = _Callback(self._receive)  # kept alive as long as the library may call it
        library.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples, count: int, events) -> int:
        if samples and count:
            self.blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_END:
            event = events[index]
            if event.type == _EVENT_PHONEME:
                # Bytes of the union, because its eight bytes may be full and then lack the final zero.
                name = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0]
                self.events.append((name.decode("utf-8", "ignore"), event.sample / self.rate))
            index += 1
        return 0

    def synthesise(self, text: str, voice: Voice) -> tuple[np.ndarray, list[tuple[str, float]]]:
        """int16 sound at `self.rate`, and (IPA symbol, start in seconds) of each phoneme."""
        if self.library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise InputError(
                f"espeak-ng has no voice {voice.name!r}",
                where="voice",
                fix="choose one of `espeak-ng --voices`",
            )
        for parameter, value in ((_RATE, voice.speed), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self.blocks, self.events = [], []
        encoded = text.encode()
        self.library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
        self.library.espeak_Synchronize()
        sound = np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.int16)
        return sound, self.events

    def stressed_phonemes(self, text: str) -> str:
        """The text in IPA with the stress marks that the events leave out, in the voice that spoke last."""
        buffer = ctypes.create_string_buffer(text.encode())
        pointer = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while pointer.value:
            spoken = self.library.espeak_TextToPhonemes(ctypes.byref(pointer), _CHARS_UTF8, _PHONEMES_IPA)
            clauses.append((spoken or b"").decode("utf-8", "ignore"))
        return " ".join(clauses)


@contextmanager
def _engine() -> Iterator[_Engine]:
    """The library as if never used before; nobody else can use it meanwhile."""
    name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
    with _LOCK:
        try:
            library = ctypes.CDLL(name)
        except OSError as error:
            raise _missing("libespeak-ng is not installed") from error
        handle = library._handle  # noqa: SLF001 - ctypes offers no other way to unload
        try:
            if os.name == "posix":
                ctypes.CDLL(None).srand(1)  # breath noise comes from the C library's generator
            yield _Engine(library)
        finally:
            library.espeak_Terminate()
            if os.name == "posix":
                ctypes.CDLL(None).dlclose(ctypes.c_void_p(handle))


def _missing(what: str) -> DependencyError:
    return DependencyError(
        what,
        where="presenter speech",
        fix="run `apt-get install espeak-ng` (other systems: install espeak-ng)",
    )


def _timed(events: list[tuple[str, float]], seconds: float) -> list[Phoneme]:
    """Phonemes that cover 0..seconds; neighboring pauses joined, sounds without duration dropped."""
    out: list[Phoneme] = [] if events[0][1] <= 0 else [Phoneme("", 0.0, events[0][1])]
    ends = [start for _, start in events[1:]] + [seconds]
    for (symbol, start), end in zip(events, ends, strict=True):
        if end <= start:
            continue
        if out and out[-1].symbol == symbol == "":
            out[-1] = replace(out[-1], end=end)
        else:
            out.append(Phoneme(symbol, start, end))
    return out


def _with_stress(phonemes: list[Phoneme], spoken: str) -> list[Phoneme]:
    """Carry the stress marks of the written phonemes over to the timed ones, by aligning their vowels."""
    written: list[tuple[str, int]] = []
    pending, previous_vowel = 0, False
    for letter in spoken:
        if letter in "ˈˌ":
            pending, previous_vowel = (2 if letter == "ˈ" else 1), False
        elif is_vowel(letter):
            if not previous_vowel:  # the second letter of a diphthong belongs to the first
                written.append((letter, pending))
                pending = 0
            previous_vowel = True
        elif letter not in "ː":
            previous_vowel = False
    timed = [i for i, p in enumerate(phonemes) if p.symbol and is_vowel(p.symbol)]
    out = list(phonemes)
    first_letters = [next(c for c in phonemes[i].symbol if is_vowel(c)) for i in timed]
    matcher = difflib.SequenceMatcher(None, [v for v, _ in written], first_letters, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag in ("equal", "replace"):
            for i, j in zip(range(i1, i2), range(j1, j2), strict=False):
                out[timed[j]] = replace(out[timed[j]], stress=written[i][1])
    return out


def _with_loudness(phonemes: list[Phoneme], samples: np.ndarray) -> list[Phoneme]:
    levels = []
    for p in phonemes:
        piece = samples[
            int(p.start * SAMPLE_RATE) : max(int(p.end * SAMPLE_RATE), int(p.start * SAMPLE_RATE) + 1)
        ]
        levels.append(20 * np.log10(np.sqrt(np.mean(piece**2)) + 1e-7) if len(piece) else -140.0)
    loudest = max(levels)
    return [
        replace(p, loudness=round(float(np.clip(1 + (level - loudest) / _LOUDNESS_RANGE, 0, 1)), 4))
        for p, level in zip(phonemes, levels, strict=True)
    ]


def _resample(sound: np.ndarray, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    divisor = int(np.gcd(rate, SAMPLE_RATE))
    return resample_poly(sound.astype(np.float32) / 32768, SAMPLE_RATE // divisor, rate // divisor).astype(
        np.float32
    )


def _level(samples: np.ndarray) -> np.ndarray:
    """Scale speech to one level, so that loudness means the same in every utterance."""
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max()] if len(samples) else samples
    scale = _LEVEL / (float(np.sqrt(np.mean(loud**2))) + 1e-7) if len(loud) else 1.0
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    return (samples * min(scale, 0.95 / (peak + 1e-7))).astype(np.float32)
