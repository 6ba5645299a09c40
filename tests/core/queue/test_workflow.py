"""Filling a workflow with a job's values, and what is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgt_core.base.errors import InputError
from mmgt_core.queue.jobs import Job
from mmgt_core.queue.workflow import SUBFOLDER, Workflow

from .conftest import WORKFLOW

BUNDLED = Path(__file__).resolve().parents[3] / "example_workflows"
TWO = {**WORKFLOW, "9": {"class_type": "LoadImage", "inputs": {"image": "x.png"}, "_meta": {"title": "Pose"}}}


def test_a_job_fills_its_nodes_and_leaves_the_workflow_as_it_was(folder):
    nodes = copy.deepcopy(WORKFLOW)
    job = Job(
        "a", folder / "p1.png", folder / "s.wav", 7, {"3.steps": "9", "Keep.filename_prefix": "5"}, folder
    )
    filled = Workflow(nodes).filled(job)
    assert nodes == WORKFLOW
    assert filled.prompt["3"]["inputs"] == {"seed": 7, "steps": 9, "cfg": 1.5, "model": ["7", 0]}
    assert filled.prompt["4"]["inputs"]["filename_prefix"] == "5", "a text stays one"
    assert {upload.path for upload in filled.uploads} == {folder / "p1.png", folder / "s.wav"}
    for upload in filled.uploads:
        assert filled.prompt[upload.node]["inputs"][upload.input] == f"{SUBFOLDER}/{upload.name}"
        assert upload.name.endswith(upload.path.suffix) and upload.name.isascii()
    assert Workflow(nodes).filled(Job("a")).prompt == WORKFLOW


def test_names_on_the_server_say_the_content(folder):
    """Two files of one name never clash, and the same file always is the same job."""
    (folder / "other").mkdir()
    (folder / "other" / "p1.png").write_bytes(b"something else")
    workflow, job = Workflow(WORKFLOW), Job("a", folder / "p1.png")
    one, two = workflow.filled(job), workflow.filled(replace(job, image=folder / "other" / "p1.png"))
    assert one.uploads[0].name != two.uploads[0].name and one.digest != two.digest
    assert one.digest == workflow.filled(job).digest
    assert one.digest != workflow.filled(replace(job, seed=5)).digest


@given(seed=st.integers(0, 2**64 - 1), steps=st.integers(-5, 5), cfg=st.floats(-9, 9))
def test_values_arrive_as_they_are(seed, steps, cfg):
    typed, texts = ({"3.steps": f(steps), "3.cfg": f(cfg), "4.add": f(False)} for f in (lambda v: v, str))
    prompts = [Workflow(WORKFLOW).filled(Job("a", seed=seed, sets=sets)).prompt for sets in (typed, texts)]
    assert prompts[0] == prompts[1]
    assert prompts[0]["3"]["inputs"] == {"seed": seed, "steps": steps, "cfg": cfg, "model": ["7", 0]}
    assert prompts[0]["4"]["inputs"]["add"] is False


def test_several_loaders_are_told_apart_by_set(folder):
    with pytest.raises(InputError, match=r"1 \(Portrait\), 9 \(Pose\).*--set 1.image=@FILE"):
        Workflow(TWO).filled(Job("a", folder / "p1.png"))
    both = Job("a", folder / "p1.png", sets={"9.image": "@p2.png"}, folder=folder)
    assert {u.node: u.path.name for u in Workflow(TWO).filled(both).uploads} == {"1": "p1.png", "9": "p2.png"}
    left = Job("a", folder / "p1.png", sets={"Pose.image": "there.png"})
    prompt = Workflow(TWO).filled(left).prompt
    assert prompt["9"]["inputs"]["image"] == "there.png" and prompt["1"]["inputs"]["image"].startswith(
        SUBFOLDER
    )


def test_two_at_signs_are_one_of_the_text(folder):
    sets = {"4.filename_prefix": "@@home"}
    assert Workflow(WORKFLOW).filled(Job("a", sets=sets)).prompt["4"]["inputs"]["filename_prefix"] == "@home"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": "gone.png"}, "no such file"),
        ({"image": "."}, "not a file that goes here"),
        ({"image": "s.wav"}, "not a file that goes here"),
        ({"image": "empty.png"}, "empty"),
        ({"sets": {"1.image": "@secret.key"}}, "not a file that goes here"),
        ({"sets": {"8.steps": 1}}, "the nodes are 1"),
        ({"sets": {"3.stesp": 1}}, "its inputs are seed, steps"),
        ({"sets": {"3.model": 1}}, "fed by node 7"),
        ({"sets": {"3.steps": "many"}}, "not a number"),
        ({"sets": {"3.steps": "nan"}}, "not a number"),
        ({"sets": {"3.steps": True}}, "not a number"),
        ({"sets": {"4.add": "perhaps"}}, "not true or false"),
        ({"sets": {"LoadImage.image": "a", "KSampler.seed": 3, "x.y": 1}}, 'no node "x"'),
    ],
)
def test_what_does_not_fit_is_named(folder, changes, words):
    (folder / "empty.png").touch()
    (folder / "secret.key").write_text("secret")
    changes = {key: folder / value if key == "image" else value for key, value in changes.items()}
    with pytest.raises(InputError, match=words):
        Workflow(WORKFLOW).filled(Job("a", folder=folder, **changes))


def test_a_workflow_without_the_node_that_is_to_be_filled(folder):
    save = {"4": WORKFLOW["4"]}
    with pytest.raises(InputError, match="no LoadImage node"):
        Workflow(save).filled(Job("a", folder / "p1.png"))
    with pytest.raises(InputError, match="no node of the workflow has a seed"):
        Workflow(save).filled(Job("a", seed=1))
    twice = {"4": WORKFLOW["4"], "5": WORKFLOW["4"]}
    with pytest.raises(InputError, match=r"use the id: 4 \(Keep\), 5 \(Keep\)"):
        Workflow(twice).filled(Job("a", sets={"Keep.add": True}))


@pytest.mark.parametrize("nodes", [[], {}, 3, {"1": {}}, {"1": {"class_type": "A"}}, {"1": [2]}])
def test_other_json_is_no_workflow(tmp_path, nodes):
    (tmp_path / "w.json").write_text(json.dumps(nodes))
    with pytest.raises(InputError, match="API"):
        Workflow.load(tmp_path / "w.json")


def test_files_that_are_no_workflow(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Workflow.load(tmp_path / "w.json")
    (tmp_path / "w.json").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match="not JSON"):
        Workflow.load(tmp_path / "w.json")


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.json")), ids=lambda path: path.stem)
def test_the_bundled_workflows_are_told_from_their_twins(path):
    with pytest.raises(InputError, match="example_workflows/api/"):
        Workflow.load(path)
    Workflow.load(BUNDLED / "api" / path.name)


def test_a_consent_reference_goes_to_the_node_that_writes_the_marks():
    nodes = {
        "1": {"class_type": "MMGTDecodeVideo", "inputs": {"latent": ["2", 0], "consent": ""}},
        "2": {"class_type": "MMGTSampler", "inputs": {"seed": 1}},
    }
    job = Job("a", consent="contract 12")
    filled = Workflow(nodes).filled(job)
    assert filled.prompt["1"]["inputs"]["consent"] == "contract 12"
    assert filled.digest != Workflow(nodes).filled(Job("a")).digest  # another consent is another job
    assert nodes["1"]["inputs"]["consent"] == ""
    older = {"1": {"class_type": "MMGTDecodeVideo", "inputs": {"latent": ["2", 0]}}, "2": nodes["2"]}
    assert Workflow(older).filled(job).prompt["1"]["inputs"]["consent"] == "contract 12"
    with pytest.raises(InputError, match="consent"):
        Workflow({"2": nodes["2"]}).filled(job)
