"""The help pages that ComfyUI shows: one per node, in English and Chinese, with every input and output."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "web" / "docs"
PAGES = {"en": "{}.md", "zh": "{}/zh.md"}  # the first also serves every language that has none of its own
HEADINGS = {"en": ("Inputs", "Outputs"), "zh": ("输入", "输出")}


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^\| (.+) \|$", section[1], re.MULTILINE)[1:] if section else []
    return [line.split(" | ") for line in lines]


@pytest.mark.parametrize("language", PAGES)
def test_every_input_and_output_is_explained_as_its_tooltip_does(language):
    """The tooltips are in `locales`, which test_nodes.py compares with the schemas."""
    texts = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    for node, entry in texts.items():
        page = (DOCS / PAGES[language].format(node)).read_text(encoding="utf-8")
        assert page.startswith(f"# {entry['display_name']}\n\n{entry['description']}\n\n"), node
        inputs, outputs = (rows(page, heading) for heading in HEADINGS[language])
        expected = []
        for name, given in entry["inputs"].items():
            head = f"**{name}**" if given["name"] == name else f"**{given['name']}** (`{name}`)"
            expected.append([head, given["tooltip"]])
        assert inputs == expected, f"{node} ({language})"
        assert [name for name, _ in outputs] == [out["name"] for out in entry["outputs"].values()], node


def test_there_is_no_page_of_a_node_that_is_gone(pack):
    nodes = {node.define_schema().node_id for node in pack("nodes").NODES}
    assert {path.stem for path in DOCS.glob("*.md")} == nodes
    assert {path.parent.name for path in DOCS.glob("*/*.md")} == nodes


def test_no_output_has_the_id_of_an_input(pack):
    """ComfyUI 0.3.64 refuses the whole pack for one of them; newer ones do not look."""
    for node in pack("nodes").NODES:
        schema = node.define_schema()
        ids = [part.id for part in (*schema.inputs, *schema.outputs) if part.id is not None]
        assert len(ids) == len(set(ids)), node
