"""The motion library on the host: save, list, load, and the routes that the page reads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from .given import give  # noqa: F401
from .running import Executor, output_of
from .test_nodes import node

NAMES = (
    "../secret",
    "..\\secret",
    "/etc/passwd",
    "built in/../../demo_motion",
    "hello.safetensors",
    "",
    "\0",
)


@pytest.fixture
def folder(tmp_path, pack):
    """An output folder of its own, with a motion outside the library."""
    import folder_paths

    before = folder_paths.get_output_directory()
    folder_paths.set_output_directory(str(tmp_path / "output"))
    shipped = pack("mmgt_core.assets").GESTURES / "open.safetensors"
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "secret.safetensors").write_bytes(shipped.read_bytes())
    (tmp_path / "output" / "secret.webp").write_bytes(b"secret")
    yield tmp_path / "output" / "mmgt_library"
    folder_paths.set_output_directory(before)


@pytest.fixture
def motion(pack):
    return pack("mmgt_core.pose.motion_file").load_motion(
        pack("mmgt_core.assets").GESTURES / "open.safetensors"
    )


@pytest.fixture
def saved(folder, motion, give):  # noqa: F811
    """Function: choices -> the run of MMGT Save To Library."""

    def save(audio=None, **choices):
        prompt = {"motion": give("MMGT_MOTION", motion)}
        inputs = {"name": "hello", "tags": "", "overwrite": False, "license": ""} | choices
        if audio is not None:
            prompt["audio"] = give("AUDIO", audio)
            inputs["audio"] = ["audio", 0]
        prompt["save"] = node("MMGTSaveToLibrary", motion=["motion", 0], **inputs)
        return Executor().run(prompt)

    return save


def load(name: str) -> tuple:
    executor = Executor()
    prompt = {"load": node("MMGTLoadFromLibrary", clip=name)}
    prompt["show"] = node("MMGTPreviewMotion", motion=["load", 0], audio=["load", 1], size=64)
    done = executor.run(prompt)
    assert done.success, done.error
    return output_of(executor, "load")


def test_what_is_saved_is_listed_and_loaded_with_its_sound(saved, folder, motion, pack):
    seconds = motion.frames / 25
    audio = {"waveform": 0.1 * torch.ones(1, 2, round(3 * 16000)), "sample_rate": 16000}
    done = saved(audio, name="talks/hello", tags="Wave, big", license="CC0-1.0")
    assert done.success, done.error
    assert sorted(path.name for path in (folder / "talks").iterdir()) == [
        "hello.safetensors", "hello.wav", "hello.webp",
    ]  # fmt: skip
    schema = pack("nodes.motion_library").MMGTLoadFromLibrary.define_schema()
    options = next(widget.options for widget in schema.inputs if widget.id == "clip")
    assert options[0] == "talks/hello" and "built in/open" in options
    loaded, sound = load("talks/hello")
    assert torch.equal(loaded.keypoints, motion.keypoints)
    assert sound["waveform"].shape == (1, 1, round(seconds * 16000)) and sound["sample_rate"] == 16000
    assert float(sound["waveform"].mean()) == pytest.approx(0.1, abs=1e-3)


def test_shipped_gestures_come_with_silence_of_their_length(folder, motion):
    loaded, sound = load("built in/open")
    assert torch.equal(loaded.keypoints, motion.keypoints)
    seconds = sound["waveform"].shape[-1] / sound["sample_rate"]
    assert seconds == pytest.approx(motion.frames / 25, abs=0.02) and not sound["waveform"].any()


def test_a_second_clip_of_the_name_is_counted_or_replaces_it(saved, folder):
    assert saved().success and saved().success
    assert sorted(path.stem for path in folder.glob("*.safetensors")) == ["hello", "hello 2"]
    assert saved(overwrite=True).success
    assert len(list(folder.glob("*.safetensors"))) == 2


@pytest.mark.parametrize("name", ["../secret", "a/../../b", "", "con"])
def test_names_that_leave_the_library_are_refused_in_one_sentence(saved, folder, name):
    done = saved(name=name)
    assert not done.success and "name of a clip" in str(done.error)
    assert not folder.exists() or not list(folder.rglob("*"))


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out_of_the_library(saved, folder, pack, name):
    assert saved().success
    module = pack("nodes.comfy.library_folder")
    assert module.clip_file(name, "preview") is None
    assert "no such clip" in module.clip_fault(name)
    assert module.clip_file("hello", "preview") == folder / "hello.webp"
    assert module.clip_file("hello", "path") is None and module.clip_file("hello", "sound") is None


def test_the_fingerprint_follows_the_file(saved, folder, pack):
    fingerprint = pack("nodes.comfy.library_folder").clip_fingerprint
    assert saved().success
    before = fingerprint("hello")
    assert fingerprint("hello") == before != fingerprint("hello 2")
    path = folder / "hello.safetensors"
    path.write_bytes((folder.parent / "secret.safetensors").read_bytes())
    assert fingerprint("hello") != before


def test_the_routes_answer_what_is_listed_and_nothing_else(saved, folder, pack, monkeypatch):
    import server
    from aiohttp import web
    from aiohttp.test_utils import TestClient, TestServer

    assert saved(tags="wave").success
    routes = web.RouteTableDef()
    monkeypatch.setattr(server.PromptServer, "instance", SimpleNamespace(routes=routes), raising=False)
    module = pack("nodes.comfy.library_routes")
    module.add_routes()
    module.add_routes()  # a second call adds nothing
    assert len(routes) == 2

    async def ask() -> None:
        app = web.Application()
        app.add_routes(routes)
        async with TestClient(TestServer(app)) as client:
            answer = await client.get("/mmgt/library")
            found = {clip["name"]: clip for clip in await answer.json()}
            assert found["hello"]["tags"] == ["wave"] and "secret" not in found
            assert str(folder.parent.parent) not in await answer.text()
            picture = await client.get("/mmgt/library/preview", params={"clip": "hello"})
            assert picture.status == 200 and picture.content_type == "image/webp"
            assert await picture.read() == Path(folder / "hello.webp").read_bytes()
            for kind, name in (*(("preview", name) for name in NAMES), ("sound", "hello"), ("path", "hello")):
                refused = await client.get(f"/mmgt/library/{kind}", params={"clip": name})
                assert refused.status == 404, (kind, name)
            assert (await client.get("/mmgt/library/preview")).status == 404

    asyncio.run(ask())
