"""A ComfyUI with the pack and its web page in a headless Chromium; skipped where one of them is not found."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmgt_core.checkpoints.registry import REGISTRY

from ..live_host import FOUND, ROOT, LiveHost
from .page import CHROMIUM, DRIVER, Page

WORKFLOWS = ROOT / "example_workflows"
PICTURES = ROOT / "output" / "browser"
"""Where the screenshots stay, to be looked at."""
RELEASED = [known for known in REGISTRY if "detector" not in known.name and not known.optional]
FILE_INPUTS = {
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "vae_name": "vae",
    "audio_encoder_name": "audio_encoders",
    "ckpt_name": "checkpoints",
    "lora_name": "loras",
    "control_net_name": "controlnet",
    "text_encoder": "text_encoders",
}
"""Widgets of the host's loaders -> the folder of their files."""


def other_files() -> set[str]:
    """Paths in the models folder of what the workflows for other video models name."""
    found = set()
    for path in (WORKFLOWS / "api").glob("gestures_to_*.json"):
        for node in json.loads(path.read_text(encoding="utf-8")).values():
            for name, folder in FILE_INPUTS.items():
                if isinstance(file := node["inputs"].get(name), str):
                    vision = node["class_type"] == "CLIPVisionLoader"
                    found.add(f"{'clip_vision' if vision else folder}/{file}")
    return found


def missing() -> str | None:
    """The one line that says why there is no browser to test with."""
    if not FOUND:
        return "no ComfyUI here; set COMFYUI_PATH"
    if CHROMIUM is None or DRIVER is None:
        return "no Chromium with chromedriver here; `make browser-setup` installs them on Debian and Ubuntu"
    return None if importlib.util.find_spec("selenium") else "no selenium here; run `make setup`"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here, reason = Path(__file__).parent, missing()
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.slow)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHost]:
    """With the shipped portrait, pose and speech in its input folder, under the workflows' names.

    The released files are there by name, empty: the page looks at names only.
    """
    host = LiveHost(tmp_path_factory.mktemp("host") / "base", pack=True)
    for file in {f"{known.folder}/{known.file}" for known in RELEASED} | other_files():
        path = host.folder / "models" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    shipped = {"portrait.png": "demo_portrait.png", "speech.wav": "demo_speech.wav"}
    for name, asset in (shipped | {"portrait_pose.json": "demo_pose.json"}).items():
        shutil.copy(ROOT / "mmgt_core" / "assets" / asset, host.folder / "input" / name)
    write_driving_video(host.folder / "input" / "driving.mp4")
    try:
        yield host.wait()
    finally:
        host.stop()


def write_driving_video(path: Path) -> None:
    """Half a second of the shipped portrait, silent."""
    from mmgt_core import assets
    from mmgt_core.media.images import load_image
    from mmgt_core.media.video_writer import VideoWriter

    picture = load_image(assets.asset(assets.PORTRAIT))
    with VideoWriter(path, picture.shape[1], picture.shape[0]) as video:
        for _ in range(12):
            video.write(picture[None])


@pytest.fixture
def opened(host: LiveHost, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Function: options of Page -> the page of a new profile."""
    pages: list[Page] = []

    def open_page(**options: Any) -> Page:
        pages.append(Page(host.url, tmp_path / f"profile{len(pages)}", **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def page(opened: Callable[..., Page]) -> Page:
    return opened()


def workflow(name: str) -> dict[str, Any]:
    """The drawn form of a bundled workflow."""
    return json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))


def api_twin(name: str) -> dict[str, Any]:
    return json.loads((WORKFLOWS / "api" / f"{name}.json").read_text(encoding="utf-8"))
