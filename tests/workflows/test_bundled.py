"""The bundled workflows without ComfyUI: each is whole and readable, and its API twin says the same.

The nodes' inputs and outputs are read from `locales/en`, which the host tests compare with the schemas.
"""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mmgt_core.checkpoints.registry import REGISTRY, known_file
from mmgt_core.media.images import load_image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "example_workflows"
PUBLISHED = ("published_portrait_and_audio", "published_driving_video", "published_long_speech")
"""For the released weights, which are chosen in their loaders."""
OTHERS = (
    "gestures_to_wan_s2v",
    "gestures_to_wan_animate",
    "gestures_to_vace",
    "gestures_to_ltx",
    "gestures_to_controlnet",
)
"""For video models of other families, whose files the registry does not know."""
NAMES = (
    "demo",
    "portrait_and_audio",
    "pose_first_then_render",
    "driving_video",
    "long_speech",
    "low_vram",
    "motion_only",
    *PUBLISHED,
    *OTHERS,
)
OURS: dict[str, Any] = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
CORE = {
    "AudioEncoderEncode", "AudioEncoderLoader", "CLIPLoader", "CLIPTextEncode", "CLIPVisionEncode",
    "CLIPVisionLoader", "CheckpointLoaderSimple", "ContextWindowsManual", "ControlNetApplyAdvanced",
    "ControlNetLoader", "CreateVideo", "EmptyLTXVLatentVideo", "EmptyLatentImage", "GetVideoComponents",
    "ImageFromBatch", "KSampler", "LTXAVTextEncoderLoader", "LTXVAddGuide", "LTXVAudioVAEEncode",
    "LTXVAudioVAELoader", "LTXVConcatAVLatent", "LTXVConditioning", "LTXVCropGuides",
    "LTXVImgToVideoInplace", "LTXVSeparateAVLatent", "LatentConcat", "LoadAudio", "LoadImage",
    "LoadVideo", "LoraLoaderModelOnly", "MarkdownNote", "ModelSamplingSD3", "PreviewAny", "PreviewImage",
    "SaveVideo", "SetLatentNoiseMask", "SolidMask", "TrimVideoLatent", "UNETLoader", "VAEDecode",
    "VAELoader", "WanAnimateToVideo", "WanContextWindowsManual", "WanSoundImageToVideo",
    "WanSoundImageToVideoExtend", "WanVaceToVideo",
}  # fmt: skip
NOTE = "MarkdownNote"
IN_NO_WORKFLOW = {
    "MMGTDoctor": "stands alone: it brings its own portrait and speech",
    "MMGTLoadMotion": "loads what MMGT Save Motion wrote before; there is no such file at first",
    "MMGTLoadPortrait": "for HEIC, color profiles and transparency; the workflows use ComfyUI's Load Image",
}
MODELS = {
    "MMGTLoadMotionModel": {"motion"},
    "MMGTLoadVideoModel": {"video"},
    "MMGTDetectPose": {"person-detector", "pose-detector"},
    "LoadAudioFeatures": {"wav2vec2"},
    "VAELoader": {"vae"},
    "CLIPVisionLoader": {"clip-vision"},
}
RELEASED = {"motion", "video", "wavlm", "wav2vec2", "vae", "clip-vision"}
"""What the released weights need, in names of the registry, beside the detectors of poses."""
THUMBNAIL = 40_000  # bytes
MUTED = (2, 4)  # modes: never, bypassed

Nodes = dict[int, dict[str, Any]]


def load(name: str) -> tuple[dict[str, Any], Nodes, dict[str, Any]]:
    """The drawn form, its nodes by id, the API twin."""
    files = (FOLDER / f"{name}.json", FOLDER / "api" / f"{name}.json")
    ui, api = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    return ui, {node["id"]: node for node in ui["nodes"]}, api


def widgets(node: dict[str, Any]) -> list[str]:
    return [given["name"] for given in node["inputs"] if "widget" in given]


def test_all_are_here():
    for kind in ("*.json", "api/*.json", "*.jpg"):
        assert {path.stem for path in FOLDER.glob(kind)} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_links_join_what_is_there(name):
    ui, nodes, _ = load(name)
    assert len(nodes) == len(ui["nodes"]) and ui["last_node_id"] == max(nodes)
    for link, source, out, target, into, kind in ui["links"]:
        output, given = nodes[source]["outputs"][out], nodes[target]["inputs"][into]
        assert link in output["links"] and given["link"] == link
        assert kind == output["type"] and {kind, "*"} & set(given["type"].split(",")), (output, given)
    ids = [link[0] for link in ui["links"]]
    assert len(ids) == len(set(ids)) and all(link <= ui["last_link_id"] for link in ids)
    ends = [given["link"] for node in ui["nodes"] for given in node["inputs"] if given["link"] is not None]
    assert sorted(ends) == sorted(ids)
    needed = [given for node in ui["nodes"] for given in node["inputs"] if given.get("shape") != 7]
    assert all(given["link"] is not None for given in needed if "widget" not in given)


@pytest.mark.parametrize("name", NAMES)
def test_nodes_have_the_sockets_and_widgets_that_the_pack_gives_them(name):
    _, nodes, api = load(name)
    for key, node in nodes.items():
        if node["type"] not in OURS:
            assert node["type"] in CORE, "core nodes only"
            continue
        ours = OURS[node["type"]]
        assert {given["name"] for given in node["inputs"]} == set(ours["inputs"]), node["type"]
        names = [ours["outputs"][str(slot)]["name"] for slot in range(len(ours["outputs"]))]
        assert [out["name"] for out in node["outputs"]] == names, node["type"]
        seeds = widgets(node).count("seed")  # has a second widget: what to do after a run
        assert len(node.get("widgets_values", [])) == len(widgets(node)) + seeds, node["type"]
        assert set(api[str(key)]["inputs"]) <= set(ours["inputs"]), node["type"]


@pytest.mark.parametrize("name", NAMES)
def test_the_api_twin_says_the_same(name):
    ui, nodes, api = load(name)
    drawn = {
        str(key): node for key, node in nodes.items() if node["type"] != NOTE and node["mode"] not in MUTED
    }
    assert set(drawn) == set(api)
    sources = {link[0]: [str(link[1]), link[2]] for link in ui["links"]}
    for key, node in drawn.items():
        inputs = api[key]["inputs"]
        assert node["type"] == api[key]["class_type"]
        linked = {
            given["name"]: sources[given["link"]] for given in node["inputs"] if given["link"] is not None
        }
        assert {name: value for name, value in inputs.items() if isinstance(value, list)} == linked
        if node["type"] in OURS:
            values = [value for value in node.get("widgets_values", []) if value != "fixed"]
            given = dict(zip(widgets(node), values, strict=True))
            assert {name: value for name, value in given.items() if name not in linked} == {
                name: inputs[name] for name in given if name not in linked
            }, node["type"]


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_read(name):
    """Every node lies in a titled group, none on another, and a note explains what to do."""
    ui, nodes, _ = load(name)
    assert len([node for node in nodes.values() if node["type"] == NOTE]) == 1
    for node in nodes.values():
        (x, y), (width, height) = node["pos"], node["size"]
        boxes = [group["bounding"] for group in ui["groups"] if group["title"]]
        inside = [
            left <= x and top <= y - 30 and x + width <= left + across and y + height <= top + down
            for left, top, across, down in boxes
        ]
        assert inside.count(True) == 1, node["type"]
    for one, other in combinations(nodes.values(), 2):
        apart = [
            first["pos"][axis] + first["size"][axis] <= second["pos"][axis] - 30 * axis
            for first, second in ((one, other), (other, one))
            for axis in (0, 1)
        ]
        assert any(apart), (one["type"], other["type"])


@pytest.mark.parametrize("name", NAMES)
def test_models_are_linked_where_they_are_chosen(name):
    _, nodes, _ = load(name)
    known = {
        (f"https://huggingface.co/{file.repository}/resolve/main/{file.path}", file.file, file.folder): file
        for file in REGISTRY
    }
    for node in nodes.values():
        linked = node["properties"].get("models", [])
        files = [known[model["url"], model["name"], model["directory"]] for model in linked]
        wanted = set() if name in OTHERS and node["type"] not in OURS else MODELS.get(node["type"], set())
        assert wanted <= {file.name for file in files}
        assert [model.get("hash") for model in linked] == [file.sha256 for file in files]
        assert all(("hash" in model) == (model.get("hash_type") == "SHA256") for model in linked)


@pytest.mark.parametrize("name", PUBLISHED)
def test_released_files_are_chosen_by_their_names_and_linked_on_that_node(name):
    """ComfyUI's list of missing models shows a file that a widget names, with the link of that node."""
    _, nodes, _ = load(name)
    chosen = set()
    for node in nodes.values():
        links = {model["name"] for model in node["properties"].get("models", [])}
        for value in node.get("widgets_values", []):
            known = known_file(value) if isinstance(value, str) and node["type"] != NOTE else None
            if known:
                assert value == known.file and value in links, node["type"]
                chosen.add(known.name)
    speech = {"motion", "wavlm"} if "driving" not in name else set()
    assert chosen == RELEASED - {"motion", "wavlm"} | speech


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_note_says_which_file_goes_where(name):
    _, nodes, _ = load(name)
    (note,) = (node["widgets_values"][0] for node in nodes.values() if node["type"] == NOTE)
    linked = [model["name"] for node in nodes.values() for model in node["properties"].get("models", [])]
    places: dict[str, str] = {}
    for line in note.splitlines():
        if found := re.fullmatch(r"- \*(\w+)\*: (.+)", line):
            places.update(dict.fromkeys(found[2].split(", "), found[1]))
    known = [file for file in REGISTRY if file.file in linked]
    assert places == {f"{file.file} ({file.name})": file.folder for file in known}
    for said in ("mmgt download", "no license", "Nobody here has run these weights", "*official*"):
        assert said in note


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_the_released_weights_lack_comes_from_comfyui(name):
    """The published video model holds neither VAE nor CLIP image encoder."""
    _, _, api = load(name)
    by_class = {node["class_type"]: node["inputs"] for node in api.values()}
    for taker, given, loader in (
        ("MMGTSampler", "vae", "VAELoader"),
        ("MMGTSampler", "clip_vision", "CLIPVisionLoader"),
        ("MMGTDecodeVideo", "vae", "VAELoader"),
    ):
        assert api[by_class[taker][given][0]]["class_type"] == loader


@pytest.mark.parametrize("name", NAMES)
def test_its_picture_is_small(name):
    path = FOLDER / f"{name}.jpg"
    height, width = load_image(path).shape[:2]
    assert path.stat().st_size < THUMBNAIL and 300 <= height <= width <= 800


def test_every_node_is_shown_in_some_workflow():
    shown = {node["type"] for name in NAMES for node in load(name)[1].values()}
    assert set(OURS) - shown == set(IN_NO_WORKFLOW)
