"""MMGT Draw Pose on the host: sizes, counts, masks, and audio of the same duration."""

from __future__ import annotations

import pytest
import torch

from .given import give  # noqa: F401
from .running import Executor, output_of
from .test_nodes import node

FRAMES = 50


@pytest.fixture(scope="module")
def motion(pack):
    absent, kinds = pack("mmgt_core.pose.absent"), pack("mmgt_core.pose.motion")
    points = torch.zeros(FRAMES, 134, 3)
    points[:, :24, :2] = torch.tensor(absent.BODY) * 0.15 + torch.tensor([0.4, 0.2])
    points[:, :24, 2] = 1
    placed = absent.with_places(kinds.Motion(points, 200, 100)).keypoints.clone()
    placed[..., 0] += torch.arange(FRAMES)[:, None] / 500
    placed[..., 2] = 1
    return kinds.Motion(placed, 200, 100)


@pytest.fixture
def draw(pack, motion, give):  # noqa: F811
    executor = Executor()

    def run(audio=None, portrait=None, **choices):
        prompt = {"m": give("MMGT_MOTION", motion)}
        links = {"motion": ["m", 0]}
        for name, kind, value in (("audio", "AUDIO", audio), ("portrait", "IMAGE", portrait)):
            if value is not None:
                prompt[name] = give(kind, value)
                links[name] = [name, 0]
        prompt["draw"] = node("MMGTDrawPose", **(links | choices))
        prompt["show"] = {"class_type": "PreviewAny", "inputs": {"source": ["draw", 4]}}
        done = executor.run(prompt)
        return output_of(executor, "draw") if done.success else done.error

    from .running import load_core_nodes

    load_core_nodes("nodes_preview_any")
    return run


@pytest.mark.parametrize(
    ("choices", "frames"),
    [
        ({"fps": 16.0, "frame_rule": "4n+1"}, 33),
        ({"fps": 24.0, "frame_rule": "8n+1"}, 49),
        ({"fps": 25.0, "frame_rule": "8n+1"}, 57),
        ({"fps": 30.0, "frame_rule": "none"}, 60),
        ({"segments": "wan s2v"}, 77),
    ],
)
def test_images_and_audio_last_equally_long(draw, choices, frames):
    sound = {"waveform": torch.ones(1, 2, 44_100 * 2), "sample_rate": 44_100}
    images, *_, count, fps, audio, extensions = draw(sound, width=160, height=96, **choices)
    assert images.shape == (frames, 96, 160, 3) and count == frames and extensions == 0
    assert images.max() == 1 and images.min() == 0
    seconds = audio["waveform"].shape[-1] / audio["sample_rate"]
    assert abs(seconds - frames / fps) < 0.5 / fps and audio["waveform"].shape[1] == 2
    assert not audio["waveform"][..., 2 * 44_100 :].any(), "padded with silence"


def test_without_audio_there_is_silence_of_that_duration(draw):
    *_, count, fps, audio, _ = draw(width=64, height=64)
    assert not audio["waveform"].any()
    assert audio["waveform"].shape[-1] == round(count / fps * audio["sample_rate"])


def test_masks_are_those_of_motion_masks(draw, pack, motion):
    images, both, lips, hands, *_ = draw(
        width=200, height=100, multiple_of="2", fps=25.0, frame_rule="none", draw_masks=True
    )
    wanted = pack("mmgt_core.pose.motion_masks").motion_masks(motion, (200, 100)).rasters()
    for found, mask in ((both, wanted.face_hands), (lips, wanted.lips), (hands, wanted.hands)):
        assert found.shape == images.shape[:3]
        assert torch.equal(found, torch.from_numpy(mask).float() / 255) and found.max() == 1


def test_masks_that_were_not_drawn_say_so(pack, motion):
    result = pack("nodes.draw_pose").MMGTDrawPose.execute(
        motion=motion, draw_masks=False, style="dwpose", width=64, height=64, multiple_of="16", fps=16.0,
        frame_rule="none", segments="none", fit="crop",
    )  # fmt: skip
    assert "turn draw_masks on" in result.args[1].message


def test_the_portrait_gives_the_size_and_its_shape_is_checked(draw):
    images = draw(portrait=torch.zeros(1, 320, 640, 3), width=0, height=0, multiple_of="64")[0]
    assert images.shape[1:3] == (320, 640)
    assert "portrait has 100 x 300" in draw(portrait=torch.zeros(1, 300, 100, 3))


def test_a_pose_keypoint_is_drawn_too(pack, motion):
    poses = pack("mmgt_core.pose.openpose").to_pose_keypoint(motion)
    given = {"style": "wan animate", "multiple_of": "16", "fps": 25.0, "frame_rule": "none"}
    draw = pack("nodes.draw_pose").MMGTDrawPose.execute
    size = {"width": 64, "height": 64}
    images = draw(motion=poses, draw_masks=False, segments="none", fit="pad", **size, **given).args[0]
    assert images.shape == (FRAMES, 64, 64, 3) and images.max() == 1


def test_the_face_is_cropped_for_wan_animate(pack, motion):
    crop = pack("nodes.crop_face").MMGTCropFace.execute
    video = torch.zeros(32, 100, 200, 3)
    nose = motion.pixels()[0, 0].round().int().tolist()
    video[:, nose[1], nose[0]] = 1
    faces = crop(images=video, motion=motion, fps=16.0, frames=33, size=64).args[0]
    assert faces.shape == (33, 64, 64, 3) and faces[0].max() > 0.1
    video[31] = 0.5
    faces = crop(images=video, motion=motion, fps=16.0, frames=33, size=64).args[0]
    assert (faces[31:] - 0.5).abs().max() < 1e-5, "the last image is held"
    assert crop(video, motion, 16.0, 0, 64).args[0].shape[0] == 32
