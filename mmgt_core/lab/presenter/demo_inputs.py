"""The three inputs of the shipped demo, always the same: a portrait, its pose, a few seconds of speech.

Run `python -m mmgt_core.presenter.demo_inputs [FOLDER]` to write them again (needs libespeak-ng).
"""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path

import torch

from ... import assets
from ...pose.motion import Motion
from .draw import draw_frame
from .figure import rest_pose
from .identity import sample_identity
from .speech import Utterance, Voice, speak

IDENTITY_SEED = 2_000_000_007  # beyond every seed that training or evaluation uses
SIZE = 512
TEXT = "Hello, and welcome! I am only a drawing. But my mouth and my hands follow every word."
VOICE = Voice("en-us+f3", speed=165, pitch=52, pitch_range=65)


def demo_utterance() -> Utterance:
    """About six seconds of speech between short silences; raises DependencyError without libespeak-ng."""
    return speak(TEXT, VOICE, before=0.36, after=0.4)


def write_demo_inputs(folder: str | PathLike[str]) -> tuple[Path, Path, Path]:
    """Write portrait (512 x 512), pose (OpenPose JSON) and speech (16 kHz mono) into `folder`; their paths.

    Raises:
        DependencyError: libespeak-ng is not installed.
        InputError: the folder cannot be written.
    """
    from ...media.images import save_image
    from ...media.sound_file import save_wav
    from ...media.waveform import Waveform
    from ...pose.openpose import write_pose_file

    out = Path(folder)
    portrait, pose, speech = out / assets.PORTRAIT, out / assets.POSE, out / assets.SPEECH
    utterance = demo_utterance()
    identity = sample_identity(IDENTITY_SEED)
    keypoints = rest_pose(identity)
    save_image(portrait, draw_frame(identity, keypoints, SIZE))
    write_pose_file(pose, Motion(torch.from_numpy(keypoints)[None], SIZE, SIZE))
    save_wav(speech, Waveform(utterance.samples, utterance.rate))
    return portrait, pose, speech


if __name__ == "__main__":
    write_demo_inputs(sys.argv[1] if len(sys.argv) > 1 else assets.FOLDER)
