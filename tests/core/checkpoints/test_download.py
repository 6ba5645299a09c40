"""Downloading from a server on this machine that answers as Hugging Face does."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, TCPServer

import pytest

from mmgt_core.base.errors import CheckpointError, MMGTError
from mmgt_core.checkpoints.registry import REGISTRY

pytest.importorskip("huggingface_hub")
from mmgt_core.checkpoints.download import STAGING, download  # noqa: E402

CONTENT = bytes(range(256)) * 4096
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILE = replace(
    REGISTRY[0],
    repository="somebody/something",
    path="sub/model.bin",
    file="ours.bin",
    also=(),
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


class Hub(BaseHTTPRequestHandler):
    """Serves CONTENT at FILE's address; what it was asked for is noted in `server.asked`."""

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body: bool):
        self.server.asked.append(
            (self.command, self.path, self.headers.get("Range"), self.headers.get("Authorization"))
        )
        if self.path == "/":
            return self.head(200, 0)
        if self.path.split("?")[0] != f"/{FILE.repository}/resolve/main/{FILE.path}":
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        content = self.server.content
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", '"' + hashlib.sha256(content).hexdigest() + '"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if body:
            end = self.server.breaks.pop(0) if self.server.breaks else len(content)
            self.wfile.write(content[start:end])
            if end < len(content):
                self.wfile.flush()
                self.connection.close()
        return None

    def head(self, code: int, length: int):
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.content, server.breaks, server.asked = CONTENT, [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.shutdown()
    server.server_close()


def test_it_lands_under_its_name_and_nothing_else_stays(hub, tmp_path):
    path = download(FILE, tmp_path)
    assert path == tmp_path / FILE.folder / "ours.bin" and path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["ours.bin"]
    asked = len(hub.asked)
    assert download(FILE, tmp_path) == path and len(hub.asked) == asked  # already there: not asked again


def test_a_broken_download_goes_on_where_it_stopped(hub, tmp_path, monkeypatch):
    # The library keeps what it has written, and it writes 10 MB at a time unless told otherwise.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)
    hub.breaks = [len(CONTENT) // 2]
    try:
        path = download(FILE, tmp_path)
    except MMGTError as error:  # some versions of the library give up; the next run continues
        assert "continues" in str(error) or "kept" in str(error)
        path = download(FILE, tmp_path)
    assert path.read_bytes() == CONTENT
    assert any(range_ and range_ != "bytes=0-" for method, _, range_, _ in hub.asked if method == "GET")


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_other_content_is_thrown_away(hub, tmp_path, size):
    hub.content = CONTENT[:-1] + b"?"
    with pytest.raises(CheckpointError, match="not the published file: SHA-256"):
        download(replace(FILE, size=size), tmp_path)
    assert not (tmp_path / FILE.folder / FILE.file).exists()
    assert not list((tmp_path / FILE.folder).rglob("*.bin"))


def test_a_wrong_file_in_place_is_replaced(hub, tmp_path):
    path = tmp_path / FILE.folder / FILE.file
    path.parent.mkdir()
    path.write_bytes(b"torn")
    assert download(FILE, tmp_path).read_bytes() == CONTENT


def test_a_file_that_is_not_there_is_named(hub, tmp_path):
    with pytest.raises(MMGTError, match=r"has no other\.bin"):
        download(replace(FILE, path="other.bin"), tmp_path)


def test_the_token_goes_along(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    download(FILE, tmp_path)
    assert any(token == "Bearer hf_made_up" for _, path, _, token in hub.asked if path != "/")


class HangsUp(BaseRequestHandler):
    """Closes each connection without an answer, as a broken network does, and counts them."""

    def handle(self):
        self.server.calls += 1


@pytest.fixture
def broken_network():
    with TCPServer(("127.0.0.1", 0), HangsUp) as server:
        server.calls = 0
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("offline", [False, True])
def test_without_a_network_the_command_asks_once_and_says_so(tmp_path, broken_network, offline):
    command = [sys.executable, "-m", "mmgt_core", "download", "video", "--models-dir", str(tmp_path)]
    endpoint = f"http://127.0.0.1:{broken_network.server_address[1]}"
    environment = {**os.environ, "no_proxy": "127.0.0.1", "HF_ENDPOINT": endpoint}
    environment["HF_HUB_OFFLINE"] = "1" if offline else "0"
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2 and done.stdout == ""
    assert (
        "cannot be reached" in lines[-1] and "net-32500.pth" in lines[-1] and "Traceback" not in done.stderr
    )
    assert broken_network.calls == (0 if offline else 1), "the library's own retries take half a minute"
    assert not list(tmp_path.rglob(STAGING))
