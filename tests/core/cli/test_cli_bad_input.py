"""What cannot be used gives one sentence (what, where, how to mend it), exit code 2, and no file."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mmgt_core.media.sound_file import save_wav
from mmgt_core.media.waveform import Waveform
from mmgt_core.pose import skeleton
from mmgt_core.pose.motion_file import load_motion


def wav_of(path: Path, samples: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\x10\x20" * samples)
    return path


def text_of(path: Path, text: str = "this is only text\n" * 20) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def video_without_sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.mux(
            stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24"))
        )
        container.mux(stream.encode(None))
    return path


def cut_short(path: Path, original: Path) -> Path:
    data = original.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def spoilt_model(path: Path, original: Path, change: str, near: str) -> Path:
    """A copy of a model file with one tensor of the name `near` missing, misshapen, or one more tensor."""
    with safe_open(original, framework="pt") as file:
        header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    name = next(name for name in sorted(tensors) if near in name)
    if change == "missing":
        del tensors[name]
    elif change == "extra":
        tensors[name + "_more"] = torch.zeros(1)
    else:
        tensors[name] = torch.zeros(*tensors[name].shape, 1)
    save_file(tensors, path, header)
    return path


def motion_of(path: Path, keypoints: torch.Tensor, **header: str) -> Path:
    save_file({"keypoints": keypoints}, path, {"width": "120", "height": "96", "fps": "25", **header})
    return path


def person_gone(document: dict, path: Path) -> Path:
    return text_of(path, json.dumps({**document, "people": []}))


AUDIO = {
    "a missing sound": (lambda f, i: f / "none.wav", "no such file"),
    "a sound that is text": (lambda f, i: text_of(f / "a.wav"), "not a sound"),
    "an empty file": (lambda f, i: text_of(f / "a.wav", ""), "not a sound"),
    "a sound without samples": (lambda f, i: wav_of(f / "a.wav", 0), "empty"),
    "a sound of one sample": (lambda f, i: wav_of(f / "a.wav", 1), "too short: 1 sample"),
    "an image as sound": (lambda f, i: i.portrait, "no sound track"),
    "a video without sound": (lambda f, i: video_without_sound(f / "a.mp4"), "no sound track"),
    "a folder as sound": (lambda f, i: f, "no such file"),
}
IMAGE = {
    "a missing image": (lambda f, i: f / "none.png", "no such file"),
    "an image that is text": (lambda f, i: text_of(f / "a.png"), "not an image"),
    "an image that is a sound": (lambda f, i: i.speech, "not an image"),
    "half an image": (lambda f, i: cut_short(f / "a.png", i.portrait), "damaged"),
}
KEYPOINTS = {
    "a missing pose": (lambda f, i, d: f / "none.json", "no such file"),
    "a pose that is text": (lambda f, i, d: text_of(f / "a.json"), "not JSON"),
    "a pose with no person": (lambda f, i, d: person_gone(d, f / "a.json"), "holds no person"),
    "a pose of something else": (lambda f, i, d: text_of(f / "a.json", '{"colour": "red"}'), "pose"),
    "a pose with too few numbers": (
        lambda f, i, d: text_of(
            f / "a.json",
            json.dumps({**d, "people": [{**d["people"][0], "pose_keypoints_2d": [1.0, 2.0, 1.0]}]}),
        ),
        "3 numbers instead of",
    ),
    "a pose of an image of another shape": (
        lambda f, i, d: text_of(f / "a.json", json.dumps({**d, "canvas_width": 96, "canvas_height": 120})),
        "belongs to an image of 96 x 120",
    ),
}
MOTION = {
    "a missing motion": (lambda f: f / "none.safetensors", "no such motion file"),
    "a motion that is text": (lambda f: text_of(f / "a.safetensors"), "not a readable motion file"),
    "a misshapen motion": (lambda f: motion_of(f / "a.safetensors", torch.rand(5, 133, 3)), "(5, 133, 3)"),
    "a motion without frames": (
        lambda f: motion_of(f / "a.safetensors", torch.rand(0, 134, 3)),
        "at least one frame",
    ),
    "a motion that is not finite": (
        lambda f: motion_of(f / "a.safetensors", torch.full((2, 134, 3), torch.nan)),
        "not finite",
    ),
    "a motion without its size": (
        lambda f: motion_of(f / "a.safetensors", torch.rand(2, 134, 3), width="wide"),
        "does not hold the size",
    ),
    "a motion at 30 frames a second": (
        lambda f: motion_of(f / "a.safetensors", torch.rand(2, 134, 3), fps="30"),
        "30 frames a second",
    ),
    "a motion of another image": (
        lambda f: motion_of(f / "a.safetensors", torch.rand(2, 134, 3), width="500"),
        "belongs to an image of 500 x 96",
    ),
}
OPTIONS = {
    "no recording and no motion": ({"audio": None}, "neither a recording nor a motion"),
    "no steps": ({"steps": 0}, "0 sampling steps"),
    "no motion steps": ({"motion_steps": 0}, "steps is 0"),
    "no candidates": ({"candidates": 0}, "candidates is 0"),
    "a duration below zero": ({"duration": -1}, "duration must be more than 0"),
    "a start beyond the end": ({"start": 100}, "beyond its end"),
    "a device that is not here": ({"device": "quantum"}, "device 'quantum' cannot be used"),
    "no keypoints and no detector": ({"keypoints": None}, "no keypoints of this portrait"),
}


@pytest.fixture
def refused(mmgt, tmp_path):
    """Function: run a command that must be refused, and check all that every refusal has in common."""

    def run(arguments: list[str], words: str, where: object = None) -> None:
        out = Path(arguments[arguments.index("--out") + 1])
        before = sorted(tmp_path.rglob("*"))
        outcome = mmgt(arguments)
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        complaints = [line for line in outcome.err.splitlines() if line.startswith("mmgt: ")]
        assert len(complaints) == 1, outcome.err
        assert outcome.err.splitlines()[-1] == complaints[0]
        assert "Traceback" not in outcome.err
        assert words in complaints[0]
        assert complaints[0].endswith(".")
        assert where is None or str(where) in complaints[0]
        assert not out.exists()
        assert sorted(tmp_path.rglob("*")) == before, "something half-written was left"

    return run


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "video.mp4"


@pytest.mark.parametrize("case", AUDIO)
def test_bad_audio(inputs, refused, tmp_path, out, case):
    make, words = AUDIO[case]
    path = make(tmp_path, inputs)
    refused(inputs.generate(out, audio=path), words, path)
    refused(inputs.motion_command(out.with_suffix(".safetensors"), audio=path), words, path)


@pytest.mark.parametrize("case", IMAGE)
def test_bad_image(inputs, refused, tmp_path, out, case):
    make, words = IMAGE[case]
    path = make(tmp_path, inputs)
    refused(inputs.generate(out, image=path), words, path)
    refused(inputs.motion_command(out, image=path), words, path)


@pytest.mark.parametrize("case", KEYPOINTS)
def test_bad_keypoints(inputs, refused, tmp_path, out, case, document):
    make, words = KEYPOINTS[case]
    path = make(tmp_path, inputs, document)
    refused(inputs.generate(out, keypoints=path), words, path)


@pytest.mark.parametrize("case", MOTION)
def test_bad_motion(inputs, refused, tmp_path, out, case):
    make, words = MOTION[case]
    path = make(tmp_path)
    refused(inputs.generate(out, keypoints=None, motion=path), words, path)


@pytest.mark.parametrize("change", ["missing", "misshapen"])
@pytest.mark.parametrize(
    ("option", "near"),
    [
        ("motion_model", "final_layer.weight"),
        ("model", "pose_guider."),
        ("model", "denoising_unet."),
        ("model", "autoencoder."),
    ],
)
def test_a_checkpoint_with_wrong_keys(inputs, refused, tmp_path, out, option, near, change):
    original = inputs.motion_model if option == "motion_model" else inputs.video_model
    path = spoilt_model(tmp_path / "a.safetensors", original, change, near)
    words = {
        "missing": "lacks tensor",
        "misshapen": "has the misshapen tensor",
    }[change]
    refused(inputs.generate(out, **{option: path}), words, path)


@pytest.mark.parametrize("option", ["motion_model", "model"])
def test_a_checkpoint_that_is_something_else(inputs, refused, tmp_path, out, option):
    other = inputs.video_model if option == "motion_model" else inputs.motion_model
    refused(inputs.generate(out, **{option: other}), "model", other)
    refused(inputs.generate(out, **{option: inputs.motion}), "", inputs.motion)
    refused(
        inputs.generate(out, **{option: text_of(tmp_path / "a.safetensors")}),
        "not a readable safetensors",
        tmp_path / "a.safetensors",
    )
    refused(inputs.generate(out, **{option: tmp_path / "none"}), "no such model file", tmp_path / "none")


@pytest.mark.parametrize("case", OPTIONS)
def test_bad_options(inputs, refused, out, case):
    changes, words = OPTIONS[case]
    refused(inputs.generate(out, **changes), words)


def test_motion_without_a_detector_and_without_any_pose(inputs, refused, out):
    refused(
        inputs.motion_command(out, keypoints=None, image=inputs.portrait),
        "no keypoints of this portrait",
        inputs.portrait,
    )
    refused(inputs.motion_command(out, keypoints=None), "there is no pose to start from")


@pytest.mark.parametrize("name", ["video.txt", "video"])
def test_an_ending_that_cannot_be_written_is_refused_before_any_work(inputs, refused, out, name):
    for arguments in (inputs.generate(out.with_name(name)), inputs.motion_command(out.with_name(name))):
        refused(arguments, "cannot be written as", out.with_name(name))


def test_a_place_that_cannot_be_written(inputs, mmgt, tmp_path):
    blocked = text_of(tmp_path / "file") / "video.mp4"  # a file where the folder should be
    folder = tmp_path / "folder.mp4"
    folder.mkdir()
    for out in (blocked, folder):
        outcome = mmgt(inputs.generate(out, duration=0.1))
        assert outcome.code == 2
        assert str(out) in outcome.err.splitlines()[-1]
        assert "Traceback" not in outcome.err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["paint"],
        ["generate"],
        ["generate", "--image", "a.png"],
        ["train", "everything"],
        ["motion", "--seed", "-1"],
    ],
)
def test_a_command_line_that_cannot_be_read_is_refused_with_its_usage(mmgt, arguments):
    outcome = mmgt(arguments)
    assert outcome.code == 2
    assert "mmgt" in outcome.err and "--help" in outcome.err


def test_a_library_that_is_not_installed_is_named(inputs, out):
    arguments = inputs.motion_command(out)
    code = "import sys; sys.modules['soxr'] = None; import mmgt_core.cli as cli; "
    code += f"sys.exit(cli.main({arguments!r}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    assert result.stderr.splitlines()[-1].startswith("mmgt: the library soxr is not installed")
    assert not out.exists()


def test_silence_gives_a_still_mouth(inputs, mmgt, tmp_path):
    silence, out = tmp_path / "silence.wav", tmp_path / "motion.safetensors"
    save_wav(silence, Waveform(np.zeros(16_000, np.float32), 16_000))
    assert mmgt(inputs.motion_command(out, audio=silence)).code == 0
    motion = load_motion(out)
    # Seen from the head (the upper face), the lips do not move; the untrained model alone would shake them.
    lips, face = (
        motion.pixels()[:, skeleton.LIPS],
        motion.pixels()[:, skeleton.BROWS.start : skeleton.LEFT_EYE_RING.stop],
    )
    opening = (lips[:, 18] - lips[:, 14]).norm(dim=-1) / face.std(dim=1).norm(dim=-1)
    assert motion.frames == 25
    assert float(opening.std()) < 1e-3 * float(opening.mean()) + 1e-6
    assert mmgt([*inputs.motion_command(out, audio=silence), "--no-silence-gate"]).code == 0
    ungated = load_motion(out).pixels()
    shaken = (ungated[:, skeleton.LIPS][:, 18] - ungated[:, skeleton.LIPS][:, 14]).norm(dim=-1)
    assert float(shaken.std()) > 0.01
