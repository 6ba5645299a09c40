"""The pack keeps to itself: what the whole process shares is as it was after loading it, and after a run."""

from __future__ import annotations

import os
import tempfile

import pytest

from .running import Executor, load_core_nodes
from .small_models import write_small_models
from .test_nodes import sampler_prompt
from .world import changes, snapshot

# Set by libraries as they load, whoever loads them: by scikit-learn (librosa's) and some builds of OpenCV.
LIBRARIES = {"environment KMP_INIT_AT_FORK", "environment LD_LIBRARY_PATH"}


def test_loading_the_pack_changes_nothing(loading):
    before, after = loading
    changed = changes(before, after)
    assert set(changed) == {"models mmgt"}, changed
    assert changed["models mmgt"][0] is None, "a folder of models of its own, and that is all"


def test_a_run_changes_nothing(pack, tmp_path_factory, monkeypatch):
    """The whole way from a recording to a video file, in a temp folder that is empty again afterwards."""
    try:
        pack("mmgt_core.assets").asset("demo_portrait.png")
    except Exception as error:
        pytest.skip(str(error))
    load_core_nodes("nodes_video")
    write_small_models(pack, tmp_path_factory.mktemp("models") / "mmgt")
    own = tmp_path_factory.mktemp("temp")
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    executor = Executor()  # the host's modules are loaded now
    before = snapshot()
    run = executor.run(sampler_prompt(steps=1))
    assert run.success, run.error
    changed = changes(before, snapshot())
    assert not set(changed) - LIBRARIES, changed
    assert os.listdir(own) == [], "temporary files belong into the host's own folder"
    assert run.outputs["save"]["images"]
