"""The words that people read: no private vocabulary, no orphan lines, titles and tooltips of one form."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PRIVATE = {
    r"shel(f|ves)": "cleanup, inventory",
    r"desks?": "worker",
    r"boards?": "task queue",
    r"watch(es|ed|ing)?": "progress listener; is connected",
    r"pace": "ETA",
    r"(the|both|these) laws?": "motion rules, criterion",
    r"meters?": "measurement",
    r"pressure": "low memory",
    r"doors?": "entry point, validation",
    r"siblings?": "atomic write",
    r"hear[sd]?": "reads",
    r"listen(s|ed)? to": "reads",
    r"strangers?": "untrusted files",
    r"anew": "again",
    r"by lot": "at random",
    r"mend(s|ed)?": "repaired",
    r"trembl(es|ing)": "jitter",
    r"own motions?": "given motion",
    r"(the )?whole road": "full pipeline",
    r"(is|are|was|were|be) (told|asked)": "is shown; is requested",
    r"told": "shown",
    r"tell(s|ing)? (a|the) (person|people|user)": "shows",
    r"could not be had": "could not be downloaded",
    r"takes? the model's own": "0 = model default",
    r"as the model has it": "model default",
    r"(less|more) surely": "confidence",
    r"stands? (under|behind|beside)": "is in",
    r"lies? (in|beside|under) (the|its|their|a) (folder|file|repository)": "is in",
    r"from nothing": "from scratch",
    r"nobody (watches|listens|hears)": "",
    r"goes on (where|from)": "resumes, continues",
    r"a (image|audio|input|output|empty|adapter|encoder|autoencoder|error|index)": "an",
}
"""Word or phrase -> what to write instead. Whole words only; code spans are not searched."""
BRITISH = (
    *(
        r"colours?",
        r"behaviours?",
        r"neighbour(s|ing)?",
        r"licences?",
        r"centred?",
        r"grey",
        r"cancelled",
        r"favourite",
    ),
    r"(normal|initial|recogn|optim|quant)is(e|es|ed|ing|ation)",
)
TERMS = {r"pictures?": "image", r"sounds? of the": "audio"}
"""Further terms in what is read inside ComfyUI."""

IN_COMFYUI = ("nodes", "locales", "web/docs", "workflows")
DOCUMENTS = ("ARCHITECTURE.md",)
ENGINE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "mmgt_core")
"""Groups whose texts were revised separately."""

Text = tuple[str, str]
"""Where it is, and what is read there."""


def strings(path: Path, *, all_of_them: bool) -> Iterator[Text]:
    """Docstrings and the texts of errors of a module, or all its string constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if all_of_them:
            parts = [node]
        elif isinstance(node, ast.Expr):
            parts = [node.value]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error"):
            parts = list(ast.walk(node))
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield f"{name}:{part.lineno}", part.value


def docstrings(path: Path) -> Iterator[Text]:
    """All strings of a module that stand alone as a statement."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield f"{path.relative_to(ROOT).as_posix()}:{value.lineno}", value.value


def prose(path: Path) -> Iterator[Text]:
    """The lines of a Markdown page without code blocks."""
    code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        code ^= line.startswith("```")
        if not code:
            yield f"{path.relative_to(ROOT).as_posix()}:{number}", line


def notes(path: Path) -> Iterator[Text]:
    """Notes and titles of a workflow."""
    drawn = json.loads(path.read_text(encoding="utf-8"))
    for group in drawn["groups"]:
        yield f"{path.name}, group", group["title"]
    for node in drawn["nodes"]:
        yield f"{path.name}, title of {node['id']}", node.get("title", "")
        if node["type"] == "MarkdownNote":
            yield f"{path.name}, note", node["widgets_values"][0]


def texts(group: str) -> Iterator[Text]:
    """Everything that is read in a group of files."""
    if group in ("nodes", "mmgt_core"):
        for path in sorted((ROOT / group).rglob("*.py")):
            yield from strings(path, all_of_them=group == "nodes")
    elif group == "locales":
        for path in sorted((ROOT / "locales" / "en").glob("*.json")):
            yield from prose(path)
    elif group == "web/docs":
        for path in sorted((ROOT / "web" / "docs").glob("*.md")):
            yield from prose(path)
    elif group == "workflows":
        for path in sorted((ROOT / "example_workflows").glob("*.json")):
            yield from notes(path)
    else:
        place = ROOT / group
        for path in sorted(place.glob("*.md")) if place.is_dir() else [place]:
            yield from prose(path)


def hits(group: str, patterns: dict[str, str]) -> list[str]:
    """Every use of a pattern, with its place and the replacement."""
    found = []
    for where, text in texts(group):
        plain = re.sub(r"`[^`]*`|\]\([^)]*\)|https?://\S+", " ", text)
        for pattern, better in patterns.items():
            for match in re.finditer(rf"(?<![\w-]){pattern}(?![\w-])", plain, re.IGNORECASE):
                around = plain[max(0, match.start() - 30) : match.end() + 30].replace("\n", " ")
                found.append(f"{where}: {match[0]!r} ({better or 'write it differently'}) in ...{around}...")
    return found


def orphans(text: str) -> list[str]:
    """Last lines of a paragraph or an entry that hold one or two words of a sentence begun above."""
    found = []
    lines = [*text.splitlines(), ""]
    for above, line, below in zip(lines, lines[1:], [*lines[2:], ""], strict=False):
        last = not below.strip() or len(below) - len(below.lstrip()) < len(line) - len(line.lstrip())
        goes_on = above.strip() and above.rstrip()[-1] not in ".:;" and not re.search(r"[=|]|->", above)
        if last and goes_on and 0 < len(line.split()) <= 2 and len(above) > 60:
            found.append(line.strip())
    return found


@pytest.mark.parametrize("group", [*IN_COMFYUI, *DOCUMENTS])
def test_no_private_words(group):
    found = hits(group, PRIVATE | dict.fromkeys(BRITISH, "American spelling"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("group", ENGINE)
def test_no_private_words_in_the_engine_and_its_documents(group):
    found = hits(group, PRIVATE | dict.fromkeys(BRITISH, "American spelling"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("group", IN_COMFYUI)
def test_one_word_for_one_thing_in_comfyui(group):
    found = hits(group, TERMS)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("package", ["nodes", "mmgt_core"])
def test_no_docstring_ends_in_an_orphan_line(package):
    found = [
        f"{where}: {orphan!r}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for where, text in docstrings(path)
        for orphan in orphans(text)
    ]
    assert not found, "\n".join(found)


def schema_arguments(name: str) -> Iterator[Text]:
    """The values of a keyword argument in all calls under nodes/."""
    for path in sorted((ROOT / "nodes").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            for keyword in node.keywords:
                if keyword.arg == name:
                    function = ast.unparse(node.func)
                    assert isinstance(keyword.value, ast.Constant), (
                        path,
                        keyword.lineno,
                        "not a plain string",
                    )
                    yield function, keyword.value.value


def test_every_title_has_the_prefix():
    titles = [title for function, title in schema_arguments("display_name") if function == "io.Schema"]
    assert len(titles) >= 14 and all(title.startswith("MMGT ") for title in titles), titles
    assert len(set(titles)) == len(titles)


def test_every_tooltip_and_description_ends_with_a_full_stop():
    for name in ("tooltip", "description"):
        values = [text for _, text in schema_arguments(name)]
        assert values and not [text for text in values if not text.endswith(".")]
    chinese = json.loads((ROOT / "locales" / "zh" / "nodeDefs.json").read_text(encoding="utf-8"))
    for node, entry in chinese.items():
        said = [entry["description"], *(given["tooltip"] for given in entry["inputs"].values())]
        assert all(text.endswith("。") for text in said), node


LINE = "    width: a description that is long enough to be wrapped where its first line ends, which"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"{LINE}\n    ends.", 1),
        (f"{LINE}\n        ends here.\n    fps: frames per second.", 1),
        (f"{LINE}\n    ends with more words.", 0),
        (f"{LINE}.\n    fps: rate.", 0),
    ],
)
def test_the_search_for_orphans_finds_what_it_should(text, count):
    assert len(orphans(text)) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The door of the shelf.", 2),
        ("Indoor keyboards and bookshelves; `desk` and [a page](docs/door.md).", 0),
        ("It is told that 0 takes the model's own.", 3),
        ("There are laws on portraits, unlike the law of motion.", 1),
    ],
)
def test_the_search_for_words_finds_whole_words_in_prose(monkeypatch, text, count):
    monkeypatch.setitem(globals(), "texts", lambda group: [("here", text)])
    assert len(hits("", PRIVATE)) == count
