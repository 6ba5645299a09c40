"""MMGTSampler's kept work: a run that was cancelled, or whose server was killed, goes on to the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from .running import Executor, hooked_bars, output_of
from .small_models import MOTION, VIDEO, write_small_models
from .test_nodes import clip_links, clip_prompt, node

CHILD = "MMGT_TEST_KEEP_WORK"
"""Environment variable: the folder of a child process of the kill test; JSON choices stand in it."""
STEPS, SECONDS = 4, 0.32


def prompt_of(**choices) -> dict:
    prompt = clip_prompt()
    prompt["speech"]["inputs"]["duration"] = SECONDS
    own = {"steps": STEPS, "width": 128, "height": 64, "seed": 3, "keep_work": True}
    prompt["sample"] = node("MMGTSampler", **(clip_links() | own | choices))
    prompt["show"] = {
        "class_type": "SaveLatent",
        "inputs": {"samples": ["sample", 0], "filename_prefix": "l"},
    }
    return prompt


def sampled(prompt: dict) -> torch.Tensor:
    """The latents of a prompt in an executor of its own, which remembers nothing."""
    executor = Executor()
    run = executor.run(prompt)
    assert run.success, run.error
    return output_of(executor, "sample")[0]["samples"].clone()


class Steps:
    """Counts the sampler's steps, and presses Cancel when one is reached."""

    def __init__(self, cancel_at: int = 0):
        self.cancel_at, self.seen = cancel_at, []

    def __enter__(self) -> Steps:
        self._hooked = hooked_bars(self._hook)
        self._hooked.__enter__()
        return self

    def __exit__(self, *error) -> None:
        import comfy.model_management as management

        self._hooked.__exit__(*error)
        management.interrupt_current_processing(False)

    def _hook(self, value, total, preview, **more) -> None:
        import comfy.model_management as management

        if total == STEPS:
            self.seen.append(value)
            if value == self.cancel_at:
                management.interrupt_current_processing()


@pytest.fixture
def output(pack, tmp_path, monkeypatch) -> Path:
    """The host's output folder, empty, and the small models."""
    import folder_paths

    write_small_models(pack, tmp_path / "mmgt")
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    return tmp_path / "output"


def kept(output: Path) -> dict[str, list[str]]:
    """Work folder -> the steps that lie in it."""
    root = output / "mmgt_work"
    return {
        folder.name: sorted(path.stem for path in folder.glob("*.safetensors")) for folder in root.glob("*")
    }


@pytest.mark.parametrize("sampler", ["official", pytest.param("euler", marks=pytest.mark.slow)])
def test_a_cancelled_run_goes_on_to_the_same_bits(pack, output, sampler):
    whole = sampled(prompt_of(sampler=sampler, keep_work=False))
    assert kept(output) == {}
    with Steps(cancel_at=3) as steps:
        assert not Executor().run(prompt_of(sampler=sampler)).success
    (stopped,) = kept(output).values()
    done = int(stopped[-1].removeprefix("latents-"))
    assert 1 <= done < STEPS and len(stopped) <= 2 and max(steps.seen) == 3
    with Steps() as steps:
        found = sampled(prompt_of(sampler=sampler))
    assert torch.equal(found, whole)
    assert min(steps.seen) > done, "what was done is not done again"


def test_cancel_within_the_only_step_loses_no_window(pack, output, monkeypatch):
    """As in the shipped long_speech: there is one step, and all of the work is within it."""
    import comfy.model_management as management

    work = pack("nodes.comfy.resumable").SamplingWork
    keep, computed, cancel_after = work.keep_windows, [], 2

    def counted(self, first, count, outputs):
        keep(self, first, count, outputs)
        computed.append(first)
        if len(computed) == cancel_after:
            management.interrupt_current_processing()

    monkeypatch.setattr(work, "keep_windows", counted)
    choices = {"steps": 1, "window": 4, "overlap": 1}
    whole = sampled(prompt_of(**choices, keep_work=False))
    assert not Executor().run(prompt_of(**choices)).success
    management.interrupt_current_processing(False)
    assert computed == [0, 1] and kept(output).popitem()[1] == [], "in the middle of the only step"
    assert torch.equal(sampled(prompt_of(**choices)), whole)
    assert computed == [0, 1, 2], "of three windows, only the third was left to compute"


@pytest.mark.slow
def test_finished_work_serves_until_another_video_is_finished(pack, output):
    first = sampled(prompt_of())
    assert list(kept(output).values()) == [[f"latents-{step:04d}" for step in (STEPS - 1, STEPS)]]
    with Steps() as steps:
        assert torch.equal(sampled(prompt_of()), first)
    assert [value for value in steps.seen if value < STEPS] == [], "nothing was sampled"
    with Steps(cancel_at=2):
        assert not Executor().run(prompt_of(seed=4)).success
    assert len(kept(output)) == 2, "only what is finished makes room"
    newest = sampled(prompt_of(seed=5))
    assert len(kept(output)) == 2 and not torch.equal(newest, first)
    with Steps() as steps:
        assert torch.equal(sampled(prompt_of()), first)
    assert min(steps.seen) == 1, "the first one was forgotten, and sampled again"


def test_another_choice_model_or_portrait_is_another_run(pack, output, tmp_path):
    turned = prompt_of()
    turned["flip"] = {"class_type": "ImageInvert", "inputs": {"image": ["demo", 0]}}
    turned["sample"]["inputs"]["portrait"] = ["flip", 0]
    choices = [{"seed": 4}, {"cfg": 2.0}, {"lip_weight": 0.5}, {"window": 5}, {"framing": "crop"}]
    executor = Executor()

    def folders_after(prompt: dict) -> int:
        with Steps(cancel_at=2):
            assert not executor.run(prompt).success
        return len(kept(output))

    prompts = [prompt_of(), *(prompt_of(**choice) for choice in choices), turned]
    assert [folders_after(prompt) for prompt in prompts] == list(range(1, len(prompts) + 1))
    executor.run(prompt_of(windows_at_once=2))
    assert len(kept(output)) == len(prompts), "the speed makes no other video"
    os.utime(tmp_path / "mmgt" / VIDEO, ns=(1, 1))
    assert folders_after(prompt_of()) == len(prompts) + 1


def test_a_sampler_with_a_memory_says_that_it_cannot(pack, output, caplog):
    import logging

    with caplog.at_level(logging.INFO):
        sampled(prompt_of(sampler="dpmpp_2m", steps=2))
    assert "keep_work has no effect with the sampler dpmpp_2m" in caplog.text and kept(output) == {}


def test_a_full_disk_is_said_before_anything_is_sampled(pack, output, monkeypatch):
    import shutil

    usage = shutil.disk_usage(output.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with Steps() as steps:
        run = Executor().run(prompt_of())
    assert (
        not run.success
        and "the disk has 1.0 kB free" in run.error
        and "turn keep_work off" in run.error
        and steps.seen == []
    )


@pytest.mark.skipif(CHILD not in os.environ, reason="the body of the kill test's child processes")
def test_child(pack, monkeypatch):
    import folder_paths

    folder = Path(os.environ[CHILD])
    if not (folder / "mmgt" / VIDEO).exists():
        write_small_models(pack, folder / "mmgt")
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "mmgt", ([str(folder / "mmgt")], {".safetensors"})
    )
    monkeypatch.setattr(folder_paths, "output_directory", str(folder / "output"))
    assert (folder / "mmgt" / MOTION).exists()
    choices = json.loads((folder / "choices.json").read_text())
    torch.save(sampled(prompt_of(**choices)), folder / "latents.pt")


def child(folder: Path, **choices) -> subprocess.Popen:
    (folder / "choices.json").write_text(json.dumps(choices))
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-q",
        f"{__file__}::test_child",
    ]
    return subprocess.Popen(
        command,
        env=os.environ | {CHILD: str(folder)},
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def finished(process: subprocess.Popen, folder: Path) -> torch.Tensor:
    text = process.communicate()[0].decode()
    assert process.returncode == 0, text
    return torch.load(folder / "latents.pt", weights_only=True)


@pytest.mark.slow
def test_a_killed_server_goes_on_to_the_same_bits(tmp_path):
    """SIGKILL in the middle of sampling, three times in one run, in processes of their own."""
    steps = {"steps": 16, "width": 128, "height": 128}
    whole = finished(child(tmp_path, **steps, keep_work=False), tmp_path)
    kills = []
    for step in (2, 6, 11):
        process = child(tmp_path, **steps)
        pattern = f"mmgt_work/*/latents-{step:04d}.safetensors"
        while process.poll() is None and not list((tmp_path / "output").glob(pattern)):
            time.sleep(0.01)
        assert process.poll() is None, process.communicate()[0].decode()
        process.kill()
        process.communicate()
        kills.append(max(kept(tmp_path / "output").popitem()[1]))
    assert kills == sorted(kills) and kills[0] < kills[-1], kills
    assert torch.equal(finished(child(tmp_path, **steps), tmp_path), whole)
    print(f"killed after {', '.join(kills)} of 16 steps; the end is bit-identical")
