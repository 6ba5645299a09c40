"""`mmgt queue` runs the bundled workflows on real servers: own files, several at once, on two of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.request import Request, urlopen

import av
import numpy as np
import pytest

from mmgt_core import assets
from mmgt_core.media.video_reader import read_video

from ..live_host import ROOT, LiveHost, needs_host

pytestmark = [pytest.mark.slow, needs_host]

API = ROOT / "example_workflows" / "api"
SECONDS, FRAMES = 0.4, 10


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[LiveHost]]:
    both = [LiveHost(tmp_path_factory.mktemp("host") / "base", pack=True) for _ in range(2)]
    try:
        yield [server.wait() for server in both]
    finally:
        for server in both:
            server.stop()


def queue(workflow: str, servers: Sequence[LiveHost], out: Path, *options: object) -> list[Path]:
    """Run `mmgt queue` to its end -> the results that it names."""
    command = [
        sys.executable,
        "-m",
        "mmgt_core",
        "queue",
        "--workflow",
        API / f"{workflow}.json",
        "--out",
        out,
    ]
    command += [part for server in servers for part in ("--server", server.url)]
    texts = [str(part) for part in (*command, *options)]
    done = subprocess.run(texts, cwd=ROOT, text=True, capture_output=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_demo_comes_back_with_its_sound(servers, tmp_path):
    (path,) = queue(
        "demo", servers[:1], tmp_path, "--set", f"LoadAudioFeatures.duration={SECONDS}", "--name", "short"
    )
    assert path == tmp_path / "short.mp4" and len(read_video(path).frames) == FRAMES
    with av.open(str(path)) as container:
        sound = sum(block.samples for block in container.decode(container.streams.audio[0]))
        rate = container.streams.audio[0].rate
    assert sound / rate == pytest.approx(SECONDS, abs=0.04)


def test_an_own_portrait_recording_and_pose_go_into_a_workflow(servers, tmp_path):
    """What lies on this machine goes over and becomes the video; nothing has to lie on the server before."""
    files = [assets.asset(name) for name in (assets.PORTRAIT, assets.SPEECH, assets.POSE)]
    (path,) = queue(
        "long_speech", servers[:1], tmp_path, "--image", files[0], "--audio", files[1],
        "--set", f"Pose of the portrait.file=@{files[2]}", "--set", f"LoadAudioFeatures.duration={SECONDS}",
    )  # fmt: skip
    assert path.name == f"{files[1].stem}.mp4" and len(read_video(path).frames) == FRAMES


def test_runs_side_by_side_do_not_disturb_each_other(servers, tmp_path):
    """Two prompts in one server's queue, then one prompt on each of two servers at the same time."""
    jobs = [
        {"name": f"seed{seed}", "seed": seed, "set": {"LoadAudioFeatures.duration": SECONDS}}
        for seed in (1, 2)
    ]
    (tmp_path / "jobs.jsonl").write_text("".join(f"{json.dumps(job)}\n" for job in jobs))
    videos = []
    for folder, chosen in (("queued", servers[:1]), ("both", servers)):
        options = ("--jobs", tmp_path / "jobs.jsonl", "--in-flight", 2 if len(chosen) == 1 else 1)
        paths = sorted(queue("demo", chosen, tmp_path / folder, *options))
        assert [path.name for path in paths] == ["seed1.mp4", "seed2.mp4"]
        videos.append([read_video(path).frames for path in paths])
        for server in servers:
            forget(server)
        (tmp_path / "jobs.jsonl.journal").unlink()
    assert servers[1].runs() == 1, "the second server did its share"
    (one, two), again = videos[0], videos[1]
    assert np.array_equal(one, again[0]) and np.array_equal(two, again[1])
    assert not np.array_equal(one, two)


def forget(server: LiveHost) -> None:
    """Let the server drop its cache, so that the next run computes everything again."""
    body = json.dumps({"unload_models": True, "free_memory": True}).encode()
    urlopen(Request(f"{server.url}/free", body, {"Content-Type": "application/json"}), timeout=30).close()
    time.sleep(2)  # its worker looks once a second
