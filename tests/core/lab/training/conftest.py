"""Speech to train on, made by hand: no espeak-ng and no librosa needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmgt_core.base.timebase import FPS, SAMPLE_RATE
from mmgt_core.lab.presenter.phonemes import Phoneme, pack_phonemes
from mmgt_core.lab.training.speech_data import SpeechData, load_speech_data

SECONDS = 4.0
CLIPS = 3


@pytest.fixture(scope="session")
def speech_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips whose features show which sound is spoken, and nothing else."""
    rng = np.random.default_rng(0)
    prosody, log_mel, packed = [], [], []
    for _ in range(CLIPS):
        sounds = rng.choice(list("amtiu"), 20)
        phonemes = [
            Phoneme(str(symbol), i * SECONDS / 20, (i + 1) * SECONDS / 20, stress=int(i % 4 == 0) * 2)
            for i, symbol in enumerate(sounds)
        ]
        spoken = np.array(["amtiu".index(s) for s in np.repeat(sounds, int(SECONDS * FPS) // 20)])
        prosody.append(np.eye(35)[spoken] + 0.01 * rng.normal(size=(len(spoken), 35)))
        log_mel.append(np.eye(40)[spoken] + 0.01 * rng.normal(size=(len(spoken), 40)))
        packed.append(pack_phonemes(phonemes))
    path = tmp_path_factory.mktemp("speech") / "speech.safetensors"
    tensors = {
        "prosody": torch.from_numpy(np.concatenate(prosody)).half(),
        "log_mel": torch.from_numpy(np.concatenate(log_mel)).half(),
        "frame_ends": torch.tensor([len(x) for x in prosody]).cumsum(0),
        "phonemes": torch.from_numpy(np.concatenate(packed)).float(),
        "phoneme_ends": torch.tensor([len(x) for x in packed]).cumsum(0),
        "samples": torch.full((CLIPS,), int(SECONDS * SAMPLE_RATE)),
    }
    save_file(tensors, path, {"mmgt_speech": '{"version": 1, "seed": 0}'})
    return path


@pytest.fixture(scope="session")
def speech(speech_file: Path) -> SpeechData:
    return load_speech_data(speech_file)
