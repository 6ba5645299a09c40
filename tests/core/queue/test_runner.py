"""Whole runs of the command against a small server that answers as ComfyUI does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mmgt_core.__main__ import main
from mmgt_core.base.errors import DependencyError, InputError
from mmgt_core.queue import client
from mmgt_core.queue.client import NetworkError, Server
from mmgt_core.queue.replies import RemoteFile, State

pytest.importorskip("websockets")


@pytest.fixture
def at_once(monkeypatch):
    """Pauses are measured, not slept."""
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.02)


@pytest.fixture
def mmgt_queue(folder, host, capsys, at_once):
    def run(*options: object, url: str = host.url) -> tuple[int, list[str], str]:
        fixed = ["queue", "--server", url, "--workflow", folder / "w.json", "--out", folder / "out"]
        code = main([str(option) for option in (*fixed, "--patience", 1, *options)])
        shown = capsys.readouterr()
        return code, shown.out.split("\n")[:-1], shown.err

    return run


def write_jobs(folder: Path, *jobs: object) -> Path:
    path = folder / "jobs.jsonl"
    path.write_text("".join(f"{job if isinstance(job, str) else json.dumps(job)}\n" for job in jobs))
    return path


def test_one_job_and_the_same_again_keeps_both_results(folder, host, mmgt_queue):
    options = ("--image", folder / "p1.png", "--audio", folder / "s.wav", "--seed", 5, "--set", "3.steps=2")
    assert mmgt_queue(*options)[:2] == (0, [str(folder / "out" / "s.png")])
    assert mmgt_queue(*options)[:2] == (0, [str(folder / "out" / "s_2.png")])
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == {
        name: (folder / "p1.png").read_bytes() for name in ("s.png", "s_2.png")
    }
    prompt = list(host.prompts.values())[0]
    assert prompt["3"]["inputs"]["seed"] == 5 and prompt["3"]["inputs"]["steps"] == 2
    assert host.files[prompt["2"]["inputs"]["audio"]] == b"sound"


def test_broken_jobs_have_a_line_each_and_stop_no_other(folder, host, mmgt_queue):
    jobs = [{"image": f"p{number % 4}.png", "seed": number} for number in range(6)]
    jobs += [{"image": "gone.png"}, "{", {"name": "refused", "set": {"3.steps": -1}}, {"set": {"3.steps": 0}}]
    code, out, err = mmgt_queue("--jobs", write_jobs(folder, *jobs), "--image", folder / "p0.png")
    assert code == 1
    assert sorted(out) == [str(folder / "out" / f"job-{number:04d}.png") for number in range(1, 7)]
    for number, path in enumerate(sorted(out)):
        assert Path(path).read_bytes() == (folder / f"p{number % 4}.png").read_bytes()
    lines = sorted(line for line in err.split("\n") if line.startswith("mmgt: "))
    assert (
        lines[0]
        == "mmgt: job-0007 (line 7): image: no such file: " + str(folder / "gone.png") + "; check the path."
    )
    assert lines[1] == "mmgt: job-0010 (line 10): node 3 (KSampler): no steps."
    assert lines[2].startswith("mmgt: line 8: not a JSON object: ")
    assert lines[3] == "mmgt: refused (line 9): node 3 (KSampler): Value too small: steps."
    assert len(lines) == 4 and "6 of 10 jobs done, 4 failed." in err
    assert len(host.uploads) == len(set(host.uploads)) == 4, "a file that jobs share goes over once"


def test_the_next_run_does_what_is_left_and_what_has_changed(folder, host, mmgt_queue):
    jobs = [{"image": f"p{number}.png"} for number in range(4)]
    mmgt_queue("--jobs", write_jobs(folder, *jobs))
    assert len(host.prompts) == 4
    assert mmgt_queue("--jobs", write_jobs(folder, *jobs))[:2] == (0, [])
    assert len(host.prompts) == 4
    (folder / "p0.png").write_bytes(b"another image")  # an input
    jobs[1]["seed"] = 9  # a line
    (folder / "out" / "job-0003.png").unlink()  # a result
    code, out, err = mmgt_queue("--jobs", write_jobs(folder, *jobs))
    assert sorted(Path(path).name for path in out) == ["job-0001.png", "job-0002.png", "job-0003.png"]
    assert code == 0 and "3 of 4 jobs done, 1 were done before, 0 failed." in err
    assert (folder / "out" / "job-0001.png").read_bytes() == b"another image"


def test_a_job_that_was_sent_before_is_not_sent_again(folder, host, mmgt_queue):
    """As after `kill -9`: the journal ends with what went to the server."""
    jobs = write_jobs(folder, {"image": "p1.png"})
    assert mmgt_queue("--jobs", jobs)[0] == 0
    journal = folder / "jobs.jsonl.journal"
    journal.write_text(journal.read_text().split("\n")[0] + "\n")
    (folder / "out" / "job-0001.png").unlink()
    code, out, _ = mmgt_queue("--jobs", jobs)
    assert (code, len(out), len(host.prompts)) == (0, 1, 1)
    host.history.clear()  # the server was started again
    journal.write_text(journal.read_text().split("\n")[0] + "\n")
    code, out, _ = mmgt_queue("--jobs", jobs)
    assert (code, len(out), len(host.prompts)) == (0, 1, 2)


@pytest.mark.parametrize("route", ["/queue", "/history", "/prompt", "/upload", "/view"])
@pytest.mark.parametrize("when", ["before", "after", "busy"])
def test_a_connection_that_breaks_costs_nothing(folder, host, mmgt_queue, route, when):
    host.breaks[route, when] = 2
    code, out, err = mmgt_queue("--image", folder / "p1.png")
    assert (code, len(host.prompts)) == (0, 1), err
    assert Path(out[0]).read_bytes() == (folder / "p1.png").read_bytes()
    assert host.breaks[route, when] < 2, "at least one request was cut"


def test_a_result_that_breaks_off_is_fetched_again_and_never_seen_by_half(folder, host, mmgt_queue):
    host.truncate = 1
    code, out, _ = mmgt_queue("--image", folder / "p1.png")
    assert code == 0 and Path(out[0]).read_bytes() == (folder / "p1.png").read_bytes()
    host.truncate = 1_000
    code, out, err = mmgt_queue("--image", folder / "p2.png", "--patience", 0)
    assert code == 1 and not out and "no answer" in err
    assert [path.name for path in (folder / "out").iterdir()] == ["p1.png"]


def test_a_server_that_is_not_there_leaves_its_share_to_the_others(folder, host, mmgt_queue):
    jobs = write_jobs(folder, *[{"image": f"p{number}.png"} for number in range(4)])
    code, out, err = mmgt_queue("--jobs", jobs, "--server", "http://127.0.0.1:9")
    assert code == 0 and len(out) == 4 and "http://127.0.0.1:9: no answer" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--in-flight", 0], "--in-flight: not a number"),
        (["--patience", "nan"], "--patience: not a number"),
        (["--seed", -1], '"seed": not a whole number'),
        (["--set", "3"], "--set: "),
        (["--set", "3.nothing=2"], "3.nothing: node 3 has no input"),
        (["--image", "gone.png"], "image: no such file"),
        (["--name", "../up"], '"name": '),
        (["--jobs", "gone.jsonl"], "gone.jsonl: there is no such file"),
        (["--server", "ftp://x"], "ftp://x: not the address"),
        (["--server", "http://x:99999"], "not the address"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_before_anything_is_sent(folder, host, mmgt_queue, options, words):
    code, out, err = mmgt_queue(*options)
    assert code == 2 and not out and err.startswith("mmgt: ") and words in err and err.count("\n") == 1
    assert not host.prompts and not host.uploads


def test_an_address_where_nothing_or_something_else_answers(folder, host, mmgt_queue):
    code, _, err = mmgt_queue(url="http://127.0.0.1:9")
    assert code == 2 and "check that ComfyUI runs there" in err
    with pytest.raises(InputError, match="not a ComfyUI"):
        Server(f"{host.url}/ws", patience=0).check()


def test_a_fault_that_all_jobs_share_is_said_once(folder, host, mmgt_queue):
    jobs = write_jobs(folder, {"name": "a"}, {"name": "b"})
    code, _, err = mmgt_queue("--jobs", jobs, "--set", "3.nothing=2")
    assert code == 2 and err.count("\n") == 1


def test_without_the_library_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "websockets.sync.client", None)
    with pytest.raises(DependencyError, match="pip install 'websockets>=15'"):
        client.require_websockets()


def test_addresses():
    assert Server("127.0.0.1:8188").url == Server("http://127.0.0.1:8188/").url == "http://127.0.0.1:8188"
    assert Server("https://host/comfy/").url == "https://host:443/comfy"
    assert Server("http://[::1]:80").url == "http://[::1]:80"


def test_a_prompt_nobody_knows(host):
    assert Server(host.url, patience=0).status("x").state is State.UNKNOWN


def test_a_server_never_chooses_more_of_a_name_than_its_suffix():
    names = {
        "a.mp4": ".mp4",
        "A.PNG": ".png",
        "x": ".bin",
        ".sh": ".bin",
        "a.b/../../c": ".bin",
        "a.": ".bin",
    }
    assert {name: RemoteFile(name, "", "output").suffix for name in names} == names


def test_patience_ends(host, at_once):
    host.breaks["/queue", "before"] = 10**6
    with pytest.raises(NetworkError, match="no answer"):
        Server(host.url, patience=0.2).check()
