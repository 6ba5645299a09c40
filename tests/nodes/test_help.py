"""The help pages that ComfyUI shows: one a node, in English and Chinese, none forgets an input or output."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "web" / "docs"
PAGES = {"en": "{}.md", "zh": "{}/zh.md"}  # the first also serves every language that has none of its own
HEADINGS = {"en": ("Inputs", "Outputs"), "zh": ("输入", "输出")}


def items(page: str, heading: str) -> list[str]:
    """The lines of the list below a heading."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return re.findall(r"^- (.+)$", section[1], re.MULTILINE) if section else []


@pytest.mark.parametrize("language", PAGES)
def test_every_input_and_output_is_explained_as_its_tooltip_does(language):
    """The tooltips stand in `locales`, which test_nodes.py holds to the schemas."""
    told = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    for node, entry in told.items():
        page = (DOCS / PAGES[language].format(node)).read_text(encoding="utf-8")
        inputs, outputs = (items(page, heading) for heading in HEADINGS[language])
        for name, given in entry["inputs"].items():
            head = f"**{name}**" if language == "en" else f"**{given['name']}** (`{name}`)"
            assert f"{head}: {given['tooltip']}" in inputs, f"{node}.{name} ({language})"
        assert len(inputs) == len(entry["inputs"]), node
        assert [line.partition(":")[0] for line in outputs] == [
            out["name"] for out in entry["outputs"].values()
        ]


def test_there_is_no_page_of_a_node_that_is_gone(pack):
    nodes = {node.define_schema().node_id for node in pack("nodes").NODES}
    assert {path.stem for path in DOCS.glob("*.md")} == nodes
    assert {path.parent.name for path in DOCS.glob("*/*.md")} == nodes
