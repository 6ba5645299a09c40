"""The kinds of audio features, as model files name them."""

from __future__ import annotations

PROSODY, WAVLM_PROSODY = "prosody", "wavlm+prosody"
"""Of Stage I: 35 channels; 1024 + 35 channels."""
PROSODY_CHANNELS = 35
LOG_MEL, WAV2VEC2 = "log-mel", "wav2vec2-base-960h"
"""Of Stage II: 1 x 40; 12 x 768."""
