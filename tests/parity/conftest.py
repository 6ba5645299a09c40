"""Golden tensors from the reference network, and the record of what the parity tests did with them.

`golden.use(name)` hands a tensor out and notes it; `golden.close(name, actual, atol=...)` compares, and notes
the error. The errors are printed file by file at the end; `test_every_golden_is_used.py` reads the record.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ..goldens import small

ROOT = Path(__file__).resolve().parents[2]
# The full set where it lies; a clone has some files of it in small forms only (tests/goldens/small.py).
FOLDERS = (ROOT.parent / "shared" / "goldens", ROOT / "tests" / "goldens")
USED_TEST = "test_every_golden_is_used.py"


class Tensors(dict):
    """Tensors by name; reading one notes its name in `used`."""

    def __init__(self, tensors: dict[str, torch.Tensor], used: set[str]):
        super().__init__(tensors)
        self._used = used

    def __getitem__(self, name: str) -> torch.Tensor:
        self._used.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self._used.add(name)
        return super().get(name, default)

    def items(self):
        self._used.update(self)
        return super().items()

    def values(self):
        self._used.update(self)
        return super().values()


class Golden:
    """One golden file.

    Attributes:
        tensors: name -> tensor; `metadata`: the file's header.
        used: names that a test has read, be it as input, weight or expectation.
        errors: name -> largest absolute error that a test has found against it.
    """

    def __init__(self, path: Path):
        self.path = path
        self.used: set[str] = set()
        self.errors: dict[str, float] = {}
        tensors, self.metadata = small.read(path)
        self.tensors = Tensors(tensors, self.used)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def use(self, name: str) -> torch.Tensor:
        return self.tensors[name]

    def record(self, name: str, error: float) -> None:
        """Note the error of a comparison that was made elsewhere."""
        self.used.add(name)
        self.errors[name] = max(float(error), self.errors.get(name, 0.0))

    def close(self, name: str, actual, *, atol: float = 0.0, rtol: float = 0.0) -> float:
        """Assert |actual - golden| <= atol + rtol |golden| everywhere; returns the largest error."""
        expected = self.use(name).double()
        found = torch.from_numpy(actual) if isinstance(actual, np.ndarray) else torch.as_tensor(actual)
        found = found.detach().cpu().double()
        assert found.shape == expected.shape, (
            f"{name}: shape {tuple(found.shape)}, golden {tuple(expected.shape)}"
        )
        difference = (found - expected).abs()
        error = float(difference.max()) if difference.numel() else 0.0
        self.record(name, error)
        allowed = atol + rtol * expected.abs()
        assert bool((difference <= allowed).all()), (
            f"{self.path.name}: {name} is off by {error:.3g} (atol {atol:g}, rtol {rtol:g})"
        )
        return error


class Goldens:
    """Every golden file of the chosen folders, each loaded at most once a session."""

    def __init__(self, folders: tuple[Path, ...]):
        self.folders = folders
        self.touched: set[str] = set()
        self.loaded: dict[str, Golden] = {}

    def present(self) -> dict[str, Path]:
        """Relative name -> path of each golden file; the first folder that has a name wins."""
        files: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix().removesuffix(small.SUFFIX)
                if name.endswith((".safetensors", ".json")):
                    files.setdefault(name, path)
        return files

    def find(self, name: str) -> Path | None:
        self.touched.add(name)
        paths = (folder / form for folder in self.folders for form in (name, name + small.SUFFIX))
        return next((path for path in paths if path.is_file()), None)

    def load(self, name: str) -> Golden:
        if name not in self.loaded:
            path = self.find(name)
            if path is None:
                pytest.skip(f"golden file {name} is not here")
            self.loaded[name] = Golden(path)
        return self.loaded[name]


GOLDENS = pytest.StashKey[Goldens]()


def pytest_configure(config: pytest.Config) -> None:
    chosen = config.getoption("--goldens")
    if chosen and not Path(chosen).is_dir():
        raise pytest.UsageError(f"--goldens: there is no folder {chosen}")
    config.stash[GOLDENS] = Goldens((Path(chosen).resolve(),) if chosen else FOLDERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that looks back over the run comes last."""
    items.sort(key=lambda item: item.path.name == USED_TEST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    record = config.stash[GOLDENS]
    compared = {name: golden for name, golden in sorted(record.loaded.items()) if golden.errors}
    if not compared:
        return
    terminalreporter.section("parity: largest absolute error by golden file")
    for name, golden in compared.items():
        worst = max(golden.errors, key=golden.errors.__getitem__)
        folder = "/".join(golden.path.parts[-len(Path(name).parts) - 2 : -len(Path(name).parts)])
        terminalreporter.write_line(
            f"{name:<46} {golden.errors[worst]:9.2e}  {worst}  ({len(golden.errors)} compared, from {folder})"
        )
    for name, golden in sorted(record.loaded.items()):
        unread = sorted(set(golden.tensors) - golden.used)
        if unread:
            terminalreporter.write_line(f"not read in {name}: {', '.join(unread)}")
    for name in sorted(set(record.present()) - record.touched):
        terminalreporter.write_line(f"not opened: {name}")


@pytest.fixture(scope="session")
def golden_record(pytestconfig: pytest.Config) -> Goldens:
    """The record of the whole session."""
    return pytestconfig.stash[GOLDENS]


@pytest.fixture(scope="session")
def golden_folders(golden_record: Goldens) -> tuple[Path, ...]:
    return golden_record.folders


@pytest.fixture(scope="session")
def golden_path(golden_record: Goldens):
    """Function: relative name -> existing path, or skip."""

    def find(name: str) -> Path:
        path = golden_record.find(name)
        if path is None:
            pytest.skip(f"golden file {name} is not here")
        return path

    return find


@pytest.fixture(scope="session")
def goldens(golden_record: Goldens):
    """Function: relative name -> Golden, loaded once a session; skips when the file is missing."""
    return golden_record.load


@pytest.fixture(scope="session")
def smga_tiny(goldens):
    """The tiny Stage I network in eval mode, with the golden weights and the sizes of their metadata."""
    import ast

    from mmgt_core.checkpoints.smga import smga_from_official
    from mmgt_core.smga.config import SMGAConfig

    state = goldens("stage1/smga_tiny_state.safetensors")
    sizes = ast.literal_eval(state.metadata["config"])
    config = SMGAConfig(
        features=sizes["nfeats"],
        frames=sizes["seq_len"],
        width=sizes["latent_dim"],
        ffn=sizes["ff_size"],
        layers=sizes["num_layers"],
        heads=sizes["num_heads"],
        dropout=sizes["dropout"],
        audio_channels=sizes["cond_feature_dim"],
    )
    return smga_from_official(dict(state.tensors.items()), config)
