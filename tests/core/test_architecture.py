"""Every import points down: the table "may import" of ARCHITECTURE.md, held against the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "mmgt_core").rglob("*.py"), *(ROOT / "nodes").rglob("*.py"), ROOT / "__init__.py"])


def package_of(path: Path) -> str:
    """The row of the table that a file belongs to, such as "nodes/comfy" or "mmgt_core/lab/training".

    Loose files of `mmgt_core` are packages of their own; that of the top level is "/".
    """
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    if not parts:
        return "/"
    if parts[0] == "nodes":
        return "nodes/comfy" if parts[1:2] == ("comfy",) else "nodes"
    depth = 3 if parts[1:2] == ("lab",) else 2
    return "/".join(parts[:depth])


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(package, line) of each import of ours anywhere in the file, also inside functions."""
    folder = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            module = [*folder[: len(folder) - node.level + 1], *(node.module or "").split(".")]
            base = ROOT.joinpath(*(part for part in module if part))
            for alias in node.names:
                inner = base / alias.name
                target = inner if inner.is_dir() or inner.with_suffix(".py").is_file() else base
                yield package_of(target if target.is_dir() else target.with_suffix(".py")), node.lineno


def table() -> dict[str, set[str]]:
    """Package -> packages that it may import, in the order of the table, from the lowest to the highest."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    return {name: set(re.findall(r"`([^`]+)`", allowed)) for name, allowed in rows}


def test_the_table_names_every_package_once_and_nothing_else():
    assert set(table()) == {package_of(path) for path in FILES}


def test_the_table_itself_points_down():
    lower: set[str] = set()
    for name, allowed in table().items():
        assert allowed <= lower, f"{name} may import {sorted(allowed - lower)}, which stand above it"
        lower.add(name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_imports_only_what_its_package_may(path):
    own = package_of(path)
    allowed = {own, *table()[own]}
    wrong = [f"line {line}: {package}" for package, line in imports(path) if package not in allowed]
    assert not wrong, f"{own}: {wrong}"


def test_the_engine_and_the_nodes_never_import_the_lab():
    for name, allowed in table().items():
        if not name.startswith("mmgt_core/lab") and name != "mmgt_core/__main__":
            assert not any(package.startswith("mmgt_core/lab") for package in allowed), name


def test_the_check_above_sees_an_import_inside_a_function(tmp_path):
    code = ROOT / "mmgt_core" / "pipeline" / "generate.py"
    assert "mmgt_core/smga" in {package for package, _ in imports(code)}
