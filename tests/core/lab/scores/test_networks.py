"""Networks from local files, on random weights: LPIPS, TorchScript features, SyncNet; and what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.lab.scores.image_features import InceptionFeatures, VideoFeatures, load_i3d, load_inception
from mmgt_core.lab.scores.image_scores import SIZE
from mmgt_core.lab.scores.lpips import AlexLPIPS, load_lpips
from mmgt_core.lab.scores.networks import load_networks
from mmgt_core.lab.scores.regions import regions_of
from mmgt_core.lab.scores.request import request_of
from mmgt_core.lab.scores.run import evaluate
from mmgt_core.lab.scores.settings import ScoreSettings
from mmgt_core.lab.scores.sync_features import SyncFeatures, face_image
from mmgt_core.lab.scores.syncnet import SHIFT, SyncNet, cepstra, load_syncnet, sync_scores
from mmgt_core.lab.scores.weights import I3D, INCEPTION, LPIPS, SYNCNET

from .spoken import spoken


class TinyInception(torch.nn.Module):
    """The interface of the TorchScript Inception."""

    def forward(self, x: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert x.dtype == torch.uint8
        y = torch.nn.functional.adaptive_avg_pool2d(x.float(), (2, 2)).flatten(1)
        return y if return_features else y[:, :1]


class TinyI3D(torch.nn.Module):
    """The interface of the TorchScript I3D."""

    def forward(
        self, x: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False
    ) -> torch.Tensor:
        assert x.shape[1] == 3 and x.shape[2] == 16 and rescale and resize and return_features
        return torch.nn.functional.adaptive_avg_pool3d(x, (2, 2, 1)).flatten(1)


def random_alexnet(seed: int = 0) -> dict[str, torch.Tensor]:
    shapes = ((0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3))
    generator = torch.Generator().manual_seed(seed)
    found = {"classifier.1.bias": torch.zeros(3)}
    for index, out, into, side in shapes:
        weight = torch.randn(out, into, side, side, generator=generator)
        found[f"features.{index}.weight"] = weight * (2 / (into * side**2)) ** 0.5
        found[f"features.{index}.bias"] = 0.1 * torch.randn(out, generator=generator)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with all four files: random networks of the right interface."""
    place = tmp_path_factory.mktemp("weights")
    torch.save(random_alexnet(), place / LPIPS.name)
    torch.jit.script(TinyInception()).save(place / INCEPTION.name)
    torch.jit.script(TinyI3D()).save(place / I3D.name)
    torch.manual_seed(0)
    torch.save(SyncNet().state_dict(), place / SYNCNET.name)
    return place


@pytest.fixture(scope="module")
def clip():
    return spoken(3, 2.0)


def test_lpips_is_that_of_torchmetrics_with_the_same_backbone(folder):
    theirs = pytest.importorskip("torchmetrics.functional.image.lpips")
    ours = load_lpips(folder / LPIPS.name)
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 3, 64, 80, 3, generator=generator)

    class Backbone(torch.nn.Module):
        def forward(self, x):
            found = []
            for index, layer in enumerate(ours.features):
                x = layer(x)
                if index in (1, 4, 7, 9, 11):
                    found.append(x)
            return found

    scaled = [theirs.ScalingLayer()(x.permute(0, 3, 1, 2) * 2 - 1) for x in (a, b)]
    expected = torch.zeros(3)
    for first, second, head in zip(*(Backbone()(x) for x in scaled), ours.heads, strict=True):
        gap = (theirs._normalize_tensor(first) - theirs._normalize_tensor(second)) ** 2
        expected += theirs._spatial_average((gap * head).sum(1, keepdim=True), keep_dim=False).flatten()
    torch.testing.assert_close(ours(a, b), expected, atol=1e-5, rtol=1e-4)
    assert ours(a, a).abs().max() == 0


def test_lpips_takes_no_other_network(tmp_path):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="AlexNet"):
        load_lpips(tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="heads"):
        AlexLPIPS(random_alexnet(), {})


def blocks(clip):
    images = torch.from_numpy(clip.images).float() / 255
    images = torch.nn.functional.interpolate(images.permute(0, 3, 1, 2), (SIZE, SIZE)).permute(0, 2, 3, 1)
    return [(images[first : first + 10], first) for first in range(0, len(images), 10)]


def collected(collector, clip, regions=True):
    collector.begin(regions_of(clip.motion, SIZE) if regions else None, clip.sound)
    for block, first in blocks(clip):
        collector.block(block, first)
    return collector.end()


def test_every_fifth_image_and_face_has_features(folder, clip):
    network = load_inception(folder / INCEPTION.name)
    found, _ = collected(InceptionFeatures(network, 5), clip)
    assert found["inception"].shape == found["inception_face"].shape == (10, 12)
    third, _ = collected(InceptionFeatures(network, 7), clip)
    assert len(third["inception"]) == 8
    assert "inception_face" not in collected(InceptionFeatures(network, 5), clip, regions=False)[0]


def test_every_whole_part_of_16_frames_has_features(folder, clip):
    found, _ = collected(VideoFeatures(load_i3d(folder / I3D.name)), clip)
    assert found["i3d"].shape == (3, 12) and len(found["i3d_face"]) == 3
    values = found["i3d"]
    assert 10 < float(values.mean()) < 250, "values of 0 to 255 go into the network"


def test_a_file_that_is_no_torchscript_is_an_error(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(CheckpointError, match="TorchScript"):
        load_inception(tmp_path / "x.pt")
    torch.jit.script(TinyI3D()).save(tmp_path / "i.pt")
    with pytest.raises(CheckpointError, match="does not take these inputs"):
        load_inception(tmp_path / "i.pt")(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


def test_cepstra_are_100_a_second_with_the_energy_first():
    times = np.arange(16000) / 16000
    quiet, loud = (cepstra((level * np.sin(2000 * times)).astype(np.float32)) for level in (0.01, 0.1))
    assert quiet.shape == (99, 13)
    np.testing.assert_allclose((loud - quiet)[:, 0], np.log(100), atol=1e-3)  # ten times the amplitude
    np.testing.assert_allclose(loud[:, 1:], quiet[:, 1:], atol=1e-2)


def units(count: int, seed: int) -> torch.Tensor:
    """Random directions."""
    rows = torch.randn(count, 1024, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(rows, dim=1)


def test_sync_finds_the_offset_and_is_confident_only_where_one_moment_fits():
    sound = torch.nn.functional.normalize(
        torch.randn(80, 1024, generator=torch.Generator().manual_seed(0)), dim=1
    )
    confidence, distance, offset = sync_scores(sound[:60], sound[:60])
    assert offset == 0 and distance < 0.01 < 1 < confidence
    lips = torch.cat([torch.zeros(3, 1024), sound[:57]])
    confidence, distance, offset = sync_scores(lips, sound[:60])
    assert offset == 3, "late lips"
    other = torch.nn.functional.normalize(
        torch.randn(60, 1024, generator=torch.Generator().manual_seed(1)), dim=1
    )
    assert sync_scores(other, sound[:60])[0] < 0.1 * confidence
    assert SHIFT == 15


def test_a_clip_has_sync_scores_and_its_share_of_frames_without_a_face(folder, clip):
    _, record = collected(SyncFeatures(load_syncnet(folder / SYNCNET.name)), clip)
    assert record["no_face"] == 0 and record["sync_c"] >= 0 and record["sync_d"] > 0
    hidden = clip.motion.keypoints.clone()
    hidden[:10, 24:92, 2] = 0
    partly = clip.at(np.arange(len(clip.images)))
    partly.motion.keypoints.copy_(hidden)
    _, record = collected(SyncFeatures(load_syncnet(folder / SYNCNET.name)), partly)
    assert record["no_face"] == pytest.approx(10 / len(clip.images))


def test_the_face_is_cut_with_a_margin_and_gray_beyond_the_image():
    image = torch.zeros(100, 100, 3)
    image[40:60, 40:60] = 1
    face = face_image(image, (40, 40, 60, 60))
    assert face.shape == (3, 224, 224) and 0.05 < float(face.mean()) / 255 < 0.5
    corner = face_image(image, (0, 0, 20, 20))
    assert float(corner[:, 0, 0].mean()) == pytest.approx(110, abs=1)


def test_a_missing_file_is_named_with_its_source_and_its_figures(tmp_path):
    loaded = load_networks(tmp_path, None, ScoreSettings())
    assert loaded.networks.lpips is None and not loaded.networks.images
    for name, file in (("lpips", LPIPS), ("fid", INCEPTION), ("fvd", I3D), ("sync_c", SYNCNET)):
        assert file.name in loaded.absent[name] and file.source in loaded.absent[name]
    assert "train pose-encoder" in loaded.absent["fgd"]
    with pytest.raises(InputError, match="no such folder"):
        load_networks(tmp_path / "gone", None, ScoreSettings())


@pytest.mark.slow
def test_all_figures_of_the_papers_table_with_every_network(folder, tmp_path):
    for seed in (3, 4):
        clip = spoken(seed, 2.0)
        clip.write(tmp_path / "true", f"c{seed}")
        spoken(seed + 5, 2.0).write(tmp_path / "made", f"c{seed}")
    request = request_of(
        tmp_path / "out", [tmp_path / "made", tmp_path / "true"], truth=tmp_path / "true", weights=folder
    )
    result = evaluate(request)
    made, same = result.systems[0].scores, result.systems[1].scores
    for name in ("lpips", "fid", "fid_face", "fvd"):
        assert made[name].value > 100 * abs(same[name].value) and same[name].value < 1e-2, name
    assert made["kid"].value > same["kid"].value
    assert {"sync_c", "sync_d", "kvd"} <= set(made) and "sync_c" in result.systems[-1].scores
    assert len(result.networks["FID"]["sha256"]) == 64 and "fid" not in result.absent
