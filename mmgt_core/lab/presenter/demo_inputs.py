"""The inputs of the shipped demo, always the same: two portraits with their poses, some seconds of speech.

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
from .speech import Utterance, Voice, joined, speak

IDENTITY_SEEDS = (2_000_000_007, 2_000_000_072)  # beyond every seed that training or evaluation uses
SIZE = 512
SENTENCES = (
    "Hello, and welcome!",
    "I am only a drawing, but my hands follow every word.",
    "Small ideas, big ideas: all you need is your voice!",
)
VOICE = Voice("en-us+f3", speed=165, pitch=52, pitch_range=65)
BEFORE, BETWEEN, AFTER = 0.3, 0.55, 0.4  # seconds of silence: long enough for the hands to come to rest


def demo_utterance() -> Utterance:
    """About nine seconds of speech with pauses; raises DependencyError without libespeak-ng."""
    pauses = [BEFORE] + [BETWEEN] * (len(SENTENCES) - 1)
    spoken = [speak(text, VOICE, before=pause) for text, pause in zip(SENTENCES, pauses, strict=True)]
    return joined(spoken, after=AFTER)


def write_demo_inputs(folder: str | PathLike[str]) -> tuple[Path, ...]:
    """Write the portraits (512 x 512), poses (OpenPose JSON) and the speech (16 kHz mono) into `folder`.

    Returns their paths: portrait, pose, portrait, pose, speech.

    Raises:
        DependencyError: libespeak-ng is not installed.
        InputError: the folder cannot be written.
    """
    from ...media.images import save_image
    from ...media.sound_file import save_wav
    from ...media.waveform import Waveform
    from ...pose.openpose import write_pose_file

    out, utterance = Path(folder), demo_utterance()
    written = []
    for seed, (portrait, pose) in zip(IDENTITY_SEEDS, assets.PORTRAITS, strict=True):
        identity = sample_identity(seed)
        keypoints = rest_pose(identity)
        save_image(out / portrait, draw_frame(identity, keypoints, SIZE), record=None)
        write_pose_file(out / pose, Motion(torch.from_numpy(keypoints)[None], SIZE, SIZE))
        written += [out / portrait, out / pose]
    save_wav(out / assets.SPEECH, Waveform(utterance.samples, utterance.rate))
    return (*written, out / assets.SPEECH)


if __name__ == "__main__":
    write_demo_inputs(sys.argv[1] if len(sys.argv) > 1 else assets.FOLDER)
