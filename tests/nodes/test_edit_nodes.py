"""The editing nodes on the host; what they do is tested in tests/core/pose/editing."""

from __future__ import annotations

import pytest
import torch

from .given import give  # noqa: F401
from .running import Executor, output_of
from .test_nodes import node


@pytest.fixture(scope="module")
def motions(pack):
    absent, kinds = pack("mmgt_core.pose.absent"), pack("mmgt_core.pose.motion")

    def make(seed):
        points = torch.zeros(40, 134, 3)
        points[:, :24, :2] = torch.tensor(absent.BODY) * 0.2 + torch.tensor([0.5, 0.3])
        points[:, :24, 2] = 1
        placed = absent.with_places(kinds.Motion(points, 320, 240)).keypoints.clone()
        wave = torch.rand(134, 2, generator=torch.Generator().manual_seed(seed)) * 6
        placed[..., :2] += 0.01 * torch.sin(torch.arange(40)[:, None, None] / 4 + wave)
        placed[..., 2] = 1
        return kinds.Motion(placed, 320, 240)

    return make(1), make(2)


@pytest.fixture
def edit(motions, give):  # noqa: F811
    executor = Executor()

    def run(node_id, link=None, **choices):
        prompt = {"a": give("MMGT_MOTION", motions[0]), "b": give("MMGT_MOTION", motions[1])}
        given = {"motion": ["a", 0], **({link: ["b", 0]} if link else {})}
        for name, value in list(choices.items()):
            if isinstance(value, dict):
                prompt[name] = give("AUDIO", value)
                choices[name] = [name, 0]
        prompt["edit"] = node(node_id, **(given | choices))
        prompt["save"] = node("MMGTSaveMotion", motion=["edit", 0], filename_prefix="t/edited")
        done = executor.run(prompt)
        assert done.success, done.error
        assert done.outputs["edit"]["images"][0]["filename"].endswith(".webp"), "a preview"
        return output_of(executor, "edit")

    return run


def test_the_defaults_change_nothing(edit, motions):
    for name in ("MMGTTrimMotion", "MMGTEditPart", "MMGTEditMotion"):
        assert torch.equal(edit(name)[0].keypoints, motions[0].keypoints), name


def test_trim(edit, motions):
    motion, frames = edit("MMGTTrimMotion", "append", start=0.4, duration=0.8, fade=5)
    assert frames == motion.frames == 20 + 40 - 5
    assert torch.equal(motion.keypoints[:15], motions[0].keypoints[10:25])
    assert torch.equal(motion.keypoints[20:], motions[1].keypoints[5:])
    assert edit("MMGTTrimMotion", speed=2.0, loop=4.0, fade=4)[1] == 100


def test_part(edit, motions):
    lips = slice(72, 92)
    still = edit("MMGTEditPart", part="lips", gain=0.0)[0].keypoints
    assert (still[:, lips, :2] - still[:, [0], :2]).std(dim=0).max() < 1e-5
    other = edit("MMGTEditPart", "replace_from", part="left hand", lag=2, offset_x=4.0)[0].keypoints
    rest = [point for point in range(134) if point not in (*range(92, 113), 7)]
    assert torch.equal(other[:, rest], motions[0].keypoints[:, rest])
    held = edit("MMGTEditPart", part="right hand", hold=3)[0].keypoints
    assert (held[:, 113:, :2] - held[:, [4], :2]).std(dim=0).max() < 1e-5


@pytest.mark.parametrize("method", ["one-euro", "savitzky-golay"])
def test_smooth(edit, motions, method):
    smooth = edit("MMGTSmoothMotion", method=method, cutoff=0.3, beta=0.0)[0].keypoints
    movement = [keypoints[:, :18, :2].diff(dim=0).norm() for keypoints in (motions[0].keypoints, smooth)]
    assert 0 < movement[1] < movement[0]


def test_edit_motion_mirrors_blends_and_keeps_proportions(edit, motions):
    first, second = (motion.keypoints for motion in motions)
    mirrored = edit("MMGTEditMotion", mirror=True)[0].keypoints
    assert torch.allclose(mirrored[:, 4, 0], 1 - first[:, 7, 0])
    mixed = edit("MMGTEditMotion", "second", blend_curve="0:0, 1:1")[0].keypoints
    assert torch.equal(mixed[0], first[0]) and torch.allclose(mixed[25:], second[25:], atol=1e-6)
    kept = edit("MMGTEditMotion", "portrait_pose", retarget="proportions")[0]
    forearm = [(points[:, 3] - points[:, 4]).norm(dim=-1) for points in (motions[1].pixels(), kept.pixels())]
    assert forearm[0][0] == pytest.approx(float(forearm[1][0]), abs=1e-3)


def test_beats_need_audio(edit, motions):
    rate = 16_000
    waveform = 1e-4 * torch.randn(1, 1, 2 * rate, generator=torch.Generator().manual_seed(0))
    waveform[..., rate // 2 : rate // 2 + 4000] += torch.sin(torch.arange(4000) / 10)
    sound = {"waveform": waveform, "sample_rate": rate}
    more = edit("MMGTEditMotion", beat_emphasis=1.0, audio=sound)[0].keypoints
    off = (more - motions[0].keypoints)[..., :2].norm(dim=-1)
    assert off[8:18, 7].max() > 0.002 and off[:, 0].max() == 0
    without = edit("MMGTEditMotion", beat_emphasis=1.0)[0].keypoints
    assert torch.equal(without, motions[0].keypoints)


def test_exports_are_saved_side_by_side(motions, give):  # noqa: F811
    from pathlib import Path

    import folder_paths

    executor = Executor()
    for kind, ending in (("csv", ".csv"), ("pose", ".pose"), ("live2d", ".motion3.json")):
        prompt = {"m": give("MMGT_MOTION", motions[0])}
        prompt["out"] = node("MMGTExportMotion", motion=["m", 0], format=kind, filename_prefix=f"t/{kind}")
        for turn in range(2):
            prompt["m"] = give("MMGT_MOTION", motions[turn])
            done = executor.run(prompt)
            assert done.success, done.error
        found = sorted((Path(folder_paths.get_output_directory()) / "t").glob(f"{kind}_*{ending}"))
        assert len(found) == 2 and list(done.outputs["out"]["text"]) == [f"Saved {found[1].name}."]


def test_a_preview_plays_with_its_audio(motions, give):  # noqa: F811
    import av
    import folder_paths

    sound = {"waveform": torch.sin(torch.arange(32_000) / 20)[None, None], "sample_rate": 16_000}
    executor = Executor()
    prompt = {"m": give("MMGT_MOTION", motions[0]), "a": give("AUDIO", sound)}
    prompt["show"] = node("MMGTPreviewMotion", motion=["m", 0], audio=["a", 0], size=120)
    done = executor.run(prompt)
    assert done.success, done.error
    (saved,) = done.outputs["show"]["images"]
    assert saved["type"] == "temp" and list(done.outputs["show"]["animated"]) == [True]
    path = f"{folder_paths.get_temp_directory()}/{saved['subfolder']}/{saved['filename']}"
    with av.open(path) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (160, 120, 25)
        assert sum(1 for _ in container.decode(video)) == 40
        assert float(audio.duration * audio.time_base) == pytest.approx(1.6, abs=0.03)
    assert output_of(executor, "show")[1].shape == (1, 360, 960, 3)
