"""The bundled workflows without ComfyUI: each is whole, and its API twin says the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows"
NAMES = {"demo", "portrait_and_audio", "pose_first_then_render", "driving_video", "long_speech", "low_vram"}
NOTES = ("MarkdownNote", "Note")
CONTROL = ("fixed", "increment", "decrement", "randomize")  # the widget behind a seed, which the API has not


def load(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    files = (FOLDER / f"{name}.json", FOLDER / "api" / f"{name}.json")
    ui, api = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    return ui, api


def test_all_are_here():
    assert {path.stem for path in FOLDER.glob("*.json")} == NAMES
    assert {path.stem for path in (FOLDER / "api").glob("*.json")} == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_links_join_what_is_there(name):
    ui, _ = load(name)
    nodes = {node["id"]: node for node in ui["nodes"]}
    assert len(nodes) == len(ui["nodes"]) and ui["last_node_id"] == max(nodes)
    for link, source, out, target, into, kind in ui["links"]:
        output, given = nodes[source]["outputs"][out], nodes[target]["inputs"][into]
        assert link in output["links"] and given["link"] == link
        assert kind == output["type"] and kind in given["type"].split(","), (output, given)
    ids = [link[0] for link in ui["links"]]
    assert len(ids) == len(set(ids)) and all(link <= ui["last_link_id"] for link in ids)
    needed = [given for node in ui["nodes"] for given in node["inputs"] if given.get("shape") != 7]
    assert all(given["link"] is not None for given in needed), "only optional sockets stay open"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_api_twin_says_the_same(name):
    ui, api = load(name)
    drawn = {str(node["id"]): node for node in ui["nodes"] if node["type"] not in NOTES}
    assert set(drawn) == set(api)
    sources = {link[0]: [str(link[1]), link[2]] for link in ui["links"]}
    for key, node in drawn.items():
        assert node["type"] == api[key]["class_type"]
        linked = {
            given["name"]: sources[given["link"]] for given in node["inputs"] if given["link"] is not None
        }
        inputs = api[key]["inputs"]
        assert {n: v for n, v in inputs.items() if isinstance(v, list)} == linked
        if node["type"].startswith(("MMGT", "SMGA", "Motion", "LoadAudioFeatures")):
            values = [value for value in node["widgets_values"] if value not in CONTROL]
            assert values == [value for value in inputs.values() if not isinstance(value, list)]
