"""The project's metadata agrees with its files."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

import mmgt_core
from mmgt_core import assets
from mmgt_core.media.images import load_image

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASSETS = (
    assets.MOTION_MODEL,
    assets.VIDEO_MODEL,
    *(name for portrait in assets.PORTRAITS for name in portrait),
    assets.SPEECH,
    "MODEL_CARD.md",
)
HOST_BRINGS = {
    "torch",
    "torchvision",
    "torchaudio",
    "numpy",
    "safetensors",
    "einops",
    "av",
    "transformers",
    "pydantic",
    "tqdm",
    "scipy",
    "pillow",
}
LIMIT_GOLDENS_MB, LIMIT_ASSETS_MB = 15, 34


def name_of(requirement: str) -> str:
    return re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def requirement_lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def test_the_version_is_told_in_one_place_and_the_changelog_knows_it():
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "mmgt_core.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", mmgt_core.__version__)
    assert importlib.metadata.version(PROJECT["project"]["name"]) == mmgt_core.__version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{mmgt_core.__version__}]" in changelog or "## [Unreleased]" in changelog


def test_only_the_core_is_packaged_and_its_assets_travel_with_it():
    setuptools = PROJECT["tool"]["setuptools"]
    assert setuptools["packages"]["find"]["include"] == ["mmgt_core*"]
    patterns = setuptools["package-data"]["mmgt_core.assets"]
    assert all(any(Path(name).match(pattern) for pattern in patterns) for name in ASSETS)
    assert all(
        (folder / "__init__.py").is_file()
        for folder in (ROOT / "mmgt_core").iterdir()
        if any(folder.glob("*.py"))
    )


def test_the_registry_name_and_licence_follow_its_rules():
    project = PROJECT["project"]
    assert "comfyui" not in project["name"].lower()
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_what_the_registry_shows_is_complete():
    """Sizes and words as the registry's specification has them; it reads the version from the named file."""
    comfy = PROJECT["tool"]["comfy"]
    assert set(comfy) == {"PublisherId", "DisplayName", "Icon", "Banner", "requires-comfyui", "version"}
    assert re.fullmatch(r">=\d+\.\d+\.\d+", comfy["requires-comfyui"])
    assert f'__version__ = "{mmgt_core.__version__}"' in (ROOT / comfy["version"]["path"]).read_text()
    height, width = load_image(ROOT / comfy["Icon"]).shape[:2]
    assert height == width <= 400
    height, width = load_image(ROOT / comfy["Banner"]).shape[:2]
    assert abs(width / height - 21 / 9) < 0.01
    classifiers = PROJECT["project"]["classifiers"]
    assert "Operating System :: OS Independent" in classifiers
    accelerators = [line for line in classifiers if line.startswith("Environment :: ")]
    assert accelerators and all(line.startswith("Environment :: GPU :: ") for line in accelerators)


def test_the_pack_asks_the_host_for_nothing_that_the_host_brings():
    lines = requirement_lines("requirements.txt")
    assert lines
    assert not {name_of(line) for line in lines} & HOST_BRINGS
    assert all(re.fullmatch(r"[a-z0-9-]+>=[\d.]+", line) for line in lines), "lower bounds only"


def test_every_requirement_of_the_pack_is_one_of_the_package_with_the_same_bound():
    assert set(requirement_lines("requirements.txt")) <= set(PROJECT["project"]["dependencies"])


def test_the_lowest_versions_are_those_that_the_project_promises():
    extras = PROJECT["project"]["optional-dependencies"]
    kinds = (group for name, group in extras.items() if name != "dev")
    promised = {line.partition(";")[0].strip() for line in sum(kinds, PROJECT["project"]["dependencies"])}
    assert sorted(requirement_lines("constraints-lowest.txt")) == sorted(
        line.replace(">=", "==") for line in promised
    )


def test_every_library_that_the_core_imports_is_declared():
    """By name, not as some other package's dependency; what not everyone needs has extras."""
    distributions = {"cv2": "opencv-python-headless", "PIL": "pillow", "huggingface_hub": "huggingface-hub"}
    distributions |= {
        "pillow_heif": "pillow-heif",
        "pytorch_optimizer": "pytorch-optimizer",
        "c2pa": "c2pa-python",
    }
    extras = PROJECT["project"]["optional-dependencies"]
    optional = [
        line
        for name in ("train", "train-8bit", "encoders", "detector", "queue", "heic", "eval", "c2pa", "ray")
        for line in extras[name]
    ]
    lines = [*PROJECT["project"]["dependencies"], *optional]
    declared = {name_of(line) for line in lines}
    for path in (ROOT / "mmgt_core").rglob("*.py"):
        modules: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add((node.module or "").partition(".")[0])
        needed = {distributions.get(module, module) for module in modules - sys.stdlib_module_names}
        assert needed <= declared, path


def test_the_constraints_hold_torch_alone_to_an_exact_version():
    assert [name_of(line) for line in requirement_lines("constraints.txt")] == ["torch"]
    assert "==" in requirement_lines("constraints.txt")[0]


def test_the_demo_model_and_the_goldens_stay_small():
    assert megabytes(ROOT / "mmgt_core" / "assets") <= LIMIT_ASSETS_MB
    assert megabytes(ROOT / "tests" / "goldens") <= LIMIT_GOLDENS_MB


@pytest.mark.parametrize("name", ASSETS)
def test_every_shipped_file_is_there_and_not_empty(name):
    path = assets.FOLDER / name
    if not path.exists() and not (assets.FOLDER / assets.VIDEO_MODEL).exists():
        pytest.skip("the demo model has not been made in this checkout")
    assert path.stat().st_size > 0


def test_every_make_target_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for document in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        named = set(re.findall(r"`make ([a-z][a-z-]*)", (ROOT / document).read_text(encoding="utf-8")))
        assert named <= targets, f"{document}: {named - targets}"


def test_the_registry_package_leaves_the_lab_out_and_the_command_works_without_it(tmp_path):
    """A copy without what `.comfyignore` excludes lists the engine's commands alone."""
    import shutil
    import subprocess

    ignored = [line for line in (ROOT / ".comfyignore").read_text().splitlines() if not line.startswith("#")]
    assert "mmgt_core/lab/" in ignored
    skip = shutil.ignore_patterns("__pycache__", "*.safetensors", "lab")
    shutil.copytree(ROOT / "mmgt_core", tmp_path / "mmgt_core", ignore=skip)
    result = subprocess.run(
        [sys.executable, "-S", "-m", "mmgt_core", "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "generate" in result.stdout and "train" not in result.stdout
