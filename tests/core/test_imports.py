"""What importing costs and what shipped code may contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "mmgt_core").rglob("*.py"))
SHIPPED = [*CORE, *sorted((ROOT / "nodes").rglob("*.py")), ROOT / "__init__.py"]
HEAVY = ("torch", "numpy", "cv2", "av", "librosa", "diffusers", "transformers", "numba", "scipy")
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
BANNED_NAMES = {
    "os.system", "os.popen", "os.execv", "os.execve", "os.execvp", "os.spawnl", "os.spawnv", "os.posix_spawn",
    "os.fork", "os.startfile", "torch.save", "sys.path",
}  # fmt: skip
ABSOLUTE = re.compile(r"(/[a-z]|~[/\\]|[A-Za-z]:[\\/]|\\\\|file:/)")
BANNED_MODULES = {
    "subprocess", "pickle", "dill", "cloudpickle", "marshal", "shelve", "pty",
    "socket", "ssl", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp",
    "websocket", "websockets", "ftplib", "smtplib", "pip", "huggingface_hub", "ray",
}  # fmt: skip
ONLINE = {
    "mmgt_core/checkpoints/download.py": frozenset({"huggingface_hub"}),
    "nodes/comfy/library_routes.py": frozenset({"aiohttp"}),  # answers the host's own page
    "mmgt_core/queue/client.py": frozenset({"http", "urllib", "websockets"}),
    **{
        f"mmgt_core/batch/{name}.py": frozenset({"ray"})
        for name in ("cluster", "helpers", "metrics", "pool", "run")
    },
}
HOST_MODULES = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "server", "nodes"}
NEVER_MODULES = {"torchvision", "torchaudio"}

# For a fresh interpreter that has no torchvision, no torchaudio and no ComfyUI.
REFUSE = """
import importlib, importlib.abc, sys
sys.path.insert(0, {root!r})
refused = {refused!r}
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"refused: {{name}}", name=name)
        return None
sys.meta_path.insert(0, Refuse())
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=300)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.AST) -> set[str]:
    """First parts of the absolute imports anywhere in the file, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_module_of_the_core_imports_without_torchvision_torchaudio_and_the_host():
    names = [module_name(path) for path in CORE if path.name != "__main__.py"]
    code = REFUSE.format(root=str(ROOT), refused=sorted(HOST_MODULES | NEVER_MODULES))
    code += f"for name in {names!r}: importlib.import_module(name)\nprint('imported', len({names!r}))"
    result = python(code)
    assert result.returncode == 0, result.stderr[-3000:]
    assert f"imported {len(names)}" in result.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "import mmgt_core",
        "import mmgt_core.__main__; mmgt_core.__main__.commands()",
        "import mmgt_core.base.errors",
    ],
)
def test_importing_the_core_and_the_command_line_loads_no_heavy_library(statement):
    code = (
        REFUSE.format(root=str(ROOT), refused=[])
        + f"{statement}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_loading_a_motion_model_does_not_load_torchs_compiler():
    """It takes longer to import than the motion of a short recording takes to sample."""
    code = REFUSE.format(root=str(ROOT), refused=[])
    code += (
        "from mmgt_core import assets; from mmgt_core.checkpoints.smga import load_smga\n"
        "load_smga(assets.asset(assets.MOTION_MODEL))\n"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )
    result = python(code)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.strip() == "[]"


SLOW_TO_IMPORT = ("numba", "librosa", "scipy.signal", "scipy.stats", "torch._dynamo", "sympy", "diffusers")


@pytest.mark.parametrize(
    "work",
    [
        "from mmgt_core.media.sound_file import load_waveform\n"
        "from mmgt_core.audio.features import extract_features\n"
        "sound = load_waveform(assets.asset(assets.SPEECH)).cut(0, 1.5)\n"
        "assert extract_features(sound).stage1.shape == (38, 35)",
        "import tempfile, pathlib\n"
        "from mmgt_core.__main__ import main\n"
        "out = pathlib.Path(tempfile.mkdtemp(), 'motion.safetensors')\n"
        "sound = str(assets.asset(assets.SPEECH))\n"
        "options = ['--demo-portrait', '--duration', '1', '--quality', 'draft', '--device', 'cpu']\n"
        "assert main(['motion', '--audio', sound, '--out', str(out), *options]) == 0 and out.is_file()",
    ],
    ids=["features", "mmgt motion"],
)
def test_from_speech_to_motion_without_libraries_that_compile_while_they_are_imported(work):
    """Importing these took twice as long as all the rest of `mmgt motion`."""
    code = REFUSE.format(root=str(ROOT), refused=[]) + f"from mmgt_core import assets\n{work}\n"
    code += f"print([name for name in {SLOW_TO_IMPORT!r} if name in sys.modules])"
    result = python(code)
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.splitlines()[-1] == "[]"


def test_the_command_lets_waiting_threads_sleep_before_it_loads_torch():
    """Read when the library is loaded, so that later is too late; ComfyUI's process is left alone."""
    code = """
import os, sys
os.environ.pop("OMP_WAIT_POLICY", None)
import mmgt_core.__main__ as command
assert "OMP_WAIT_POLICY" not in os.environ
def main():
    assert "torch" not in sys.modules
    print(os.environ["OMP_WAIT_POLICY"])
    return 0
command.main = main
command.program()
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "passive"


def test_importing_the_pack_as_comfyui_does_is_light_and_changes_nothing():
    code = f"""
import importlib.util, os, sys
before = (list(sys.path), os.getcwd(), dict(os.environ))
root = {str(ROOT)!r}
find = importlib.util.spec_from_file_location
spec = find("pack", root + "/__init__.py", submodule_search_locations=[root])
pack = importlib.util.module_from_spec(spec)
sys.modules["pack"] = pack
spec.loader.exec_module(pack)
import inspect
assert inspect.iscoroutinefunction(pack.comfy_entrypoint)
assert before == (list(sys.path), os.getcwd(), dict(os.environ))
print([name for name in {HEAVY!r} if name in sys.modules])
print([name for name in sys.modules if name.startswith(("pack.", "mmgt_core"))])
"""
    result = python(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().split("\n") == ["[]", "[]"]


def faults_of(tree: ast.Module, allowed: frozenset[str] = frozenset()) -> list[str]:
    """What the ComfyUI registry and our users forbid in shipped code, but for the modules `allowed`."""
    faults = [f"imports {name}" for name in imported(tree) & BANNED_MODULES - allowed]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name, arguments = ast.unparse(node.func), {keyword.arg for keyword in node.keywords}
            if name in BANNED_CALLS or (name == "torch.load" and "weights_only" not in arguments):
                faults.append(f"line {node.lineno}: calls {name} with {arguments or 'nothing'}")
            if any(keyword.arg == "shell" for keyword in node.keywords):
                faults.append(f"line {node.lineno}: a shell")
            labels = " ".join(ast.unparse(argument) for argument in node.args[:1])
            if name.endswith("String.Input") and re.search("path|file(?!name_prefix)|folder|dir", labels):
                faults.append(f"line {node.lineno}: a free path: {labels}")
        text = node.value if isinstance(node, ast.Constant) and not allowed else None
        if isinstance(text, str) and ABSOLUTE.match(text):
            faults.append(f"line {getattr(node, 'lineno', 0)}: the absolute path {text!r}")
        if isinstance(node, ast.Attribute) and ast.unparse(node) in BANNED_NAMES:
            faults.append(f"line {node.lineno}: uses {ast.unparse(node)}")
        if isinstance(node, ast.keyword) and node.arg in (
            "weights_only",
            "allow_pickle",
            "trust_remote_code",
        ):
            safe = node.arg == "weights_only"
            if not isinstance(node.value, ast.Constant) or node.value.value is not safe:
                faults.append(f"line {node.value.lineno}: {node.arg} is not {safe}")
    return faults


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shipped_code_runs_no_code_from_text_starts_no_process_and_opens_no_connection(path):
    assert not faults_of(parse(path), ONLINE.get(path.relative_to(ROOT).as_posix(), frozenset()))


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "def f():\n    import subprocess",
        "from urllib.request import urlopen",
        "os.system('ls')",
        "torch.load('f')",
        "torch.load('f', weights_only=False)",
        "np.load('f', allow_pickle=True)",
        "sys.path.insert(0, 'here')",
        "model.from_pretrained('x', trust_remote_code=True)",
        "run('ls', shell=True)",
        "open('/etc/passwd')",
        "open('~/models')",
        "io.String.Input('image_path')",
    ],
)
def test_the_check_above_finds_what_it_looks_for(code):
    assert faults_of(ast.parse(code))


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_core_imports_neither_the_host_nor_itself_by_name(path):
    forbidden = HOST_MODULES | NEVER_MODULES | {"mmgt_core"}
    assert not imported(parse(path)) & forbidden
