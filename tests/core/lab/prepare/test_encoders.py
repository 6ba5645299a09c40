"""WavLM and wav2vec2 rows of a clip are those that the encoders give for the clip's own sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("transformers")

from mmgt_core.audio.wav2vec2 import wav2vec2_features
from mmgt_core.audio.wavlm import wavlm_features
from mmgt_core.checkpoints import speech_encoders
from mmgt_core.media.waveform import Waveform
from tests.core.audio.tiny_encoders import tiny_wav2vec2, tiny_wavlm

from . import films
from .conftest import CLIPS, all_clips


def test_rows_of_both_encoders(run, tmp_path, monkeypatch):
    wavlm = tiny_wavlm(hidden_size=1024, num_hidden_layers=1)
    wav2vec2 = tiny_wav2vec2(hidden_size=768, num_hidden_layers=12)
    loads = []
    monkeypatch.setattr(speech_encoders, "load_wavlm", lambda *_: loads.append("wavlm") or wavlm)
    monkeypatch.setattr(speech_encoders, "load_wav2vec2", lambda *_: loads.append("wav2vec2") or wav2vec2)
    for name in ("one", "two"):
        films.write_film(tmp_path / "in" / f"{name}.mp4", seconds=3.6, sound=films.speech(3.6, ord(name[0])))
    file = tmp_path / "encoder"
    file.write_bytes(b"stands for both")
    data, _ = run(
        tmp_path / "in", validation=0, clips=replace(CLIPS, wavlm=file, wav2vec2=file, device="cpu")
    )
    assert data.index.wavlm and data.index.speech == "wav2vec2-base-960h"
    assert sorted(loads) == ["wav2vec2", "wavlm"], "loaded once for all sources"
    clips = all_clips(data, ("flac", "wavlm.npy", "speech.npy"))
    assert len(clips) == 2
    for clip in clips:
        voice = Waveform(clip.samples(), 16_000)
        for found, truth in (
            (clip.wavlm, wavlm_features(wavlm, voice)),
            (clip.speech, wav2vec2_features(wav2vec2, voice)),
        ):
            expected = truth.numpy()
            assert found.shape == expected.shape
            assert np.linalg.norm(found - expected) <= 1e-3 * np.linalg.norm(expected)
    file.write_bytes(b"another model")
    run(tmp_path / "in", validation=0, clips=replace(CLIPS, wavlm=file, wav2vec2=file, device="cpu"))
    assert len(loads) == 4, "another model makes other parts"
