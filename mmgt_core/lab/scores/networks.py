"""Loads the networks whose files are there, and says which figures must do without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .measure import ImageFeatures, Networks
from .settings import ScoreSettings
from .weights import I3D, INCEPTION, LPIPS, SYNCNET, find, identity

NO_ENCODER = "needs a pose encoder: make one with `mmgt train pose-encoder` and give it with --pose-encoder"


@dataclass(frozen=True)
class LoadedNetworks:
    """What was loaded.

    Attributes:
        networks: the networks. files: name -> file, version and SHA-256, for the output.
        absent: figure -> why it cannot be made.
    """

    networks: Networks
    files: Mapping[str, Mapping[str, str]]
    absent: Mapping[str, str]


def load_networks(weights: Path | None, pose_encoder: Path | None, settings: ScoreSettings) -> LoadedNetworks:
    """Load what is there.

    Args:
        weights: folder of published files (`weights.WEIGHTS`). pose_encoder: file of our own.

    Raises CheckpointError where a file is damaged or another one, InputError where a path is wrong.
    """
    found, absent = find(weights)
    files = {file.figures[0].upper(): identity(file, path) for file, path in found.items()}
    lpips = pose = None
    collectors: dict[str, ImageFeatures] = {}
    if LPIPS in found:
        from .lpips import load_lpips

        lpips = load_lpips(found[LPIPS])
    if INCEPTION in found or I3D in found:
        from .image_features import InceptionFeatures, VideoFeatures, load_i3d, load_inception

        if INCEPTION in found:
            collectors["inception"] = InceptionFeatures(load_inception(found[INCEPTION]), settings.image_step)
        if I3D in found:
            collectors["i3d"] = VideoFeatures(load_i3d(found[I3D]))
    if SYNCNET in found:
        from .sync_features import SyncFeatures
        from .syncnet import load_syncnet

        collectors["sync"] = SyncFeatures(load_syncnet(found[SYNCNET]))
    if pose_encoder is None:
        absent |= {"fgd": NO_ENCODER, "diversity": NO_ENCODER}
    else:
        from ..metrics.pose_encoder import load_pose_encoder

        loaded = load_pose_encoder(pose_encoder)
        pose = loaded.network
        files["FGD"] = {
            "network": "pose encoder",
            "file": pose_encoder.name,
            "version": str(loaded.version),
            "sha256": loaded.sha256,
            "trained on": str(loaded.provenance.get("data", "unknown"))[:16],
        }
    return LoadedNetworks(Networks(lpips, pose, collectors), files, absent)
