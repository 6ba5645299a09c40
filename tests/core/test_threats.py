"""The page of threats names tests that exist, and the pack offers nothing over HTTP."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]
NAMED = re.compile(r"`(tests/[\w/]+\.py)`(?:: ((?:`\w+`(?:, )?)+))?")
INPUTS = (
    "portrait", "recording", "pose files", "weights", "workflow JSON", "jobs file", "masks", "driving video",
    "work folder", "HTTP routes", "downloads",
)  # fmt: skip


def test_every_input_has_a_row_and_every_row_a_test():
    cells = [row.split(" | ") for row in ROWS]
    assert all(len(row) == 4 and NAMED.search(row[3]) for row in cells)
    names = " ".join(row[0] for row in cells)
    assert not [name for name in INPUTS if name not in names]
    table = PAGE[PAGE.index("|---") :].split("\n\n")[0].splitlines()[1:]
    assert len(table) == len(ROWS) > 15


def test_every_named_test_exists():
    found = 0
    for file, names in NAMED.findall(PAGE):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        wanted = set(re.findall(r"`(\w+)`", names))
        assert wanted <= defined, f"{file}: {wanted - defined}"
        found += len(wanted)
    assert found > 40


def offers_http(tree: ast.AST) -> bool:
    """Whether code registers routes of a server or serves by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("routes", "add_routes", "app", "router"):
            return True
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        if any(name.split(".")[0] in ("aiohttp", "socketserver", "http") for name in modules):
            return True
    return False


def test_only_the_library_has_routes_and_browser_code():
    for path in [*(ROOT / "nodes").rglob("*.py"), ROOT / "__init__.py"]:
        code = path.read_text(encoding="utf-8")
        if path.name == "library_routes.py":
            calls = re.findall(r"server\.routes\.(\w+)\(", code)
            assert calls == ["get", "get"] and "request.post" not in code and "request.read" not in code
            continue
        assert not offers_http(ast.parse(code)), path
    pages = [path for path in (ROOT / "web").rglob("*") if path.suffix in (".js", ".ts", ".html", ".css")]
    assert pages == [ROOT / "web" / "library.js"]
    script = pages[0].read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?:", script)
    assert offers_http(ast.parse("server.PromptServer.instance.routes.get('/x')"))
    assert offers_http(ast.parse("from aiohttp import web"))
