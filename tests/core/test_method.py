"""docs/method.md names real code, and what the code cites of it exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
METHOD = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
CODE = re.compile(r"`((?:mmgt_core|nodes)/[\w/]+\.py)`(?:: ((?:`\w+`,?\s?)+))?")
SECTIONS = set(re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", METHOD, re.MULTILINE))
SOURCES = [path for folder in ("mmgt_core", "nodes", "tests") for path in (ROOT / folder).rglob("*.py")]
CITED = re.compile(r"docs/method\.md\s+((?:\d+(?:\.\d+)?)(?:(?:,| and)\s+\d+(?:\.\d+)?)*)")
GONE = re.compile(r"stage[12]" + r"\.md")


@pytest.mark.parametrize(("file", "names"), CODE.findall(METHOD))
def test_every_place_in_the_code_exists(file, names):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert set(re.findall(r"`(\w+)`", names)) <= defined


def test_every_section_names_code():
    for section in re.split(r"^### ", METHOD, flags=re.MULTILINE)[1:]:
        assert CODE.search(section), section.splitlines()[0]


def test_citations_name_sections_of_the_page():
    found = 0
    for path in SOURCES:
        for numbers in CITED.findall(path.read_text(encoding="utf-8")):
            found += 1
            assert set(re.findall(r"\d+(?:\.\d+)?", numbers)) <= SECTIONS, f"{path.name}: {numbers}"
    assert found > 50


def test_nothing_cites_pages_that_are_not_here():
    assert not [path.name for path in SOURCES if GONE.search(path.read_text(encoding="utf-8"))]
