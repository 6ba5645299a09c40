"""The files of the networks that figures need: which they are, where they come from, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError
from ...base.files import is_folder
from ...base.tensor_file import file_sha256


@dataclass(frozen=True)
class WeightsFile:
    """A published file.

    Attributes:
        name: of the file in the weights' folder. network: what it is.
        source: where it is published. figures: which figures need it.
    """

    name: str
    network: str
    source: str
    figures: tuple[str, ...]


LPIPS = WeightsFile(
    "alexnet-owt-7be5be79.pth",
    "AlexNet of torchvision",
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    ("lpips", "lpips_face", "lpips_hands", "face_lpips"),
)
INCEPTION = WeightsFile(
    "inception-2015-12-05.pt",
    "Inception of the original FID, as TorchScript",
    "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
    ("fid", "kid", "fid_face", "kid_face"),
)
I3D = WeightsFile(
    "i3d_torchscript.pt",
    "I3D of Kinetics-400, TorchScript of StyleGAN-V",
    "https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt",
    ("fvd", "kvd", "fvd_face", "kvd_face"),
)
SYNCNET = WeightsFile(
    "syncnet_v2.model",
    "SyncNet",
    "http://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model",
    ("sync_c", "sync_d", "no_face"),
)
WEIGHTS = (LPIPS, INCEPTION, I3D, SYNCNET)


def find(folder: Path | None) -> tuple[dict[WeightsFile, Path], dict[str, str]]:
    """The files that are there, and figure -> why it cannot be made.

    Raises InputError where the folder is given and is none.
    """
    if folder is not None and not is_folder(folder):
        raise InputError("there is no such folder", where=folder, fix="give the folder of the networks")
    found, absent = {}, {}
    for file in WEIGHTS:
        path = None if folder is None else folder / file.name
        if path is not None and path.is_file():
            found[file] = path
        else:
            absent |= dict.fromkeys(file.figures, why(file))
    return found, absent


def why(file: WeightsFile) -> str:
    """What to do about a missing file; nothing is ever downloaded by itself."""
    return f"needs {file.name} ({file.network}) in the folder --weights; it is published at {file.source}"


def identity(file: WeightsFile, path: Path) -> dict[str, str]:
    """What the output says about a network that was used."""
    return {"network": file.network, "file": path.name, "sha256": file_sha256(path)}
