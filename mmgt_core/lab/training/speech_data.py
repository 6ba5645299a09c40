"""Speech to train on: many voices saying many sentences, as features and timed phonemes in one compact file.

Sound itself is not kept: the presenter moves by the phonemes, the networks use the features.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...base.atomic_files import atomic_write
from ...base.errors import CheckpointError
from ...base.pool import ordered_map
from ...base.progress import Progress, silent
from ...base.timebase import SAMPLE_RATE
from ..presenter.held_out import training_seed
from ..presenter.phonemes import Phoneme, pack_phonemes, unpack_phonemes

VERSION = 1
SILENT_SHARE = 0.05
KEYS = ("prosody", "log_mel", "frame_ends", "phonemes", "phoneme_ends", "samples")


@dataclass(frozen=True)
class SpeechData:
    """The clips of one speech file.

    Attributes:
        prosody: float16 (all frames, 35), log_mel: float16 (all frames, 40), clip after clip.
        frame_ends: int64 (clips,), where each clip ends in them.
        phonemes: float32 (all phonemes, columns) as `pack_phonemes` makes them; phoneme_ends: int64 (clips,).
        samples: int64 (clips,), lengths of the sounds at 16 kHz.
        seed: of the file.
    """

    prosody: Tensor
    log_mel: Tensor
    frame_ends: Tensor
    phonemes: Tensor
    phoneme_ends: Tensor
    samples: Tensor
    seed: int

    @property
    def clips(self) -> int:
        return len(self.frame_ends)

    def frame_range(self, clip: int) -> slice:
        """Where the clip lies in `prosody` and `log_mel`."""
        return _range(self.frame_ends, clip)

    def frames(self, clip: int) -> int:
        """Length of the clip in frames."""
        where = self.frame_range(clip)
        return where.stop - where.start

    def seconds(self, clip: int) -> float:
        return int(self.samples[clip]) / SAMPLE_RATE

    def phonemes_of(self, clip: int) -> list[Phoneme]:
        """The timed phonemes of a clip."""
        return unpack_phonemes(self.phonemes[_range(self.phoneme_ends, clip)].numpy())


@dataclass(frozen=True)
class _SpokenClip:
    prosody: np.ndarray
    log_mel: np.ndarray
    phonemes: np.ndarray
    samples: int


def make_speech_data(
    out: str | os.PathLike[str],
    clips: int = 800,
    seed: int = 0,
    *,
    workers: int = 1,
    progress: Progress = silent,
) -> SpeechData:
    """Speak `clips` clips of about 3 to 10 s, some of them silent, and write their features and
    phonemes to `out`.

    Args:
        seed: below 1000; clip k has the seed `seed * 1000000 + k`, so that training never
            meets evaluation's seeds.
        workers: processes; the file does not depend on it.

    Raises:
        DependencyError: espeak-ng is not installed.
    """
    from safetensors.torch import save_file

    seeds = [training_seed(seed, clip) for clip in range(clips)]
    spoken = list(ordered_map(_speak, seeds, workers=workers, progress=progress))
    tensors = {
        "prosody": torch.from_numpy(np.concatenate([clip.prosody for clip in spoken])).half(),
        "log_mel": torch.from_numpy(np.concatenate([clip.log_mel for clip in spoken])).half(),
        "frame_ends": torch.tensor([len(clip.prosody) for clip in spoken]).cumsum(0),
        "phonemes": torch.from_numpy(np.concatenate([clip.phonemes for clip in spoken])).float(),
        "phoneme_ends": torch.tensor([len(clip.phonemes) for clip in spoken]).cumsum(0),
        "samples": torch.tensor([clip.samples for clip in spoken]),
    }
    with atomic_write(out) as temporary:
        save_file(tensors, temporary, {"mmgt_speech": json.dumps({"version": VERSION, "seed": seed})})
    return SpeechData(**tensors, seed=seed)


def load_speech_data(path: str | os.PathLike[str]) -> SpeechData:
    """Read a file of `make_speech_data`; raises CheckpointError when it is not one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            header = json.loads((file.metadata() or {})["mmgt_speech"])
            tensors = {key: file.get_tensor(key) for key in KEYS}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"this is not a speech data file ({error})",
            where=path,
            fix="make one with `mmgt train speech-data`",
        ) from error
    if header.get("version") != VERSION:
        raise CheckpointError("this speech data file has another version", where=path, fix="make it again")
    return SpeechData(**tensors, seed=header["seed"])


def _speak(seed: int) -> _SpokenClip:
    """One clip: a random voice at a random level over random faint noise, with pauses around it;
    some say nothing.
    """
    from ...audio.log_mel import log_mel
    from ...audio.prosody import prosody
    from ...media.waveform import Waveform
    from ..presenter.sentences import paragraph
    from ..presenter.speech import sample_voice, silence, speak

    rng = np.random.default_rng([0x5BEEC, seed])
    if rng.random() < SILENT_SHARE:
        utterance = silence(float(rng.uniform(3.3, 6.0)))
    else:
        text = paragraph(seed, int(rng.choice([1, 2], p=[0.6, 0.4])))
        before, after = rng.uniform(0.0, 0.6), rng.choice([rng.uniform(0.1, 0.5), rng.uniform(1.0, 2.5)])
        utterance = speak(text, sample_voice(seed), before=float(before), after=float(after))
        if utterance.seconds < 3.4:
            utterance = speak(
                text, sample_voice(seed), before=float(before), after=float(after) + 3.4 - utterance.seconds
            )
    samples = utterance.samples * np.float32(10 ** (rng.uniform(-9, 3) / 20))
    if rng.random() < 0.4:
        level = 10 ** (rng.uniform(-75, -50) / 20)
        samples = samples + rng.normal(0, level, len(samples)).astype(np.float32)
    waveform = Waveform(np.clip(samples, -1, 1), utterance.rate)
    return _SpokenClip(prosody(waveform), log_mel(waveform), pack_phonemes(utterance.phonemes), len(samples))


def _range(ends: Tensor, index: int) -> slice:
    return slice(int(ends[index - 1]) if index else 0, int(ends[index]))
