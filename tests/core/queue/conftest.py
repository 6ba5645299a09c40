"""A small server that answers as ComfyUI does, and breaks connections when it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

WORKFLOW: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "p.png"}, "_meta": {"title": "Portrait"}},
    "2": {"class_type": "LoadAudio", "inputs": {"audio": "s.wav"}},
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 4, "cfg": 1.5, "model": ["7", 0]}},
    "4": {
        "class_type": "SaveImage",
        "inputs": {"images": ["3", 0], "filename_prefix": "a", "add": True},
        "_meta": {"title": "Keep"},
    },
}


class FakeHost(ThreadingHTTPServer):
    """Runs a prompt at once: its result is the content of the first uploaded file.

    `breaks[path]` is how many requests for a route are cut: "before" they are read, or "after" they took
    effect, so that only the answer is lost.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.prompts: dict[str, Any] = {}
        self.history: dict[str, Any] = {}
        self.uploads: list[str] = []
        self.breaks: dict[tuple[str, str], int] = {}
        self.truncate = 0
        self.lock = threading.Lock()

    def cut(self, route: str, when: str) -> bool:
        with self.lock:
            left = self.breaks.get((route, when), 0)
            self.breaks[route, when] = max(left - 1, 0)
            return left > 0

    def handle_error(self, request: Any, client_address: Any) -> None: ...


class _Answer(BaseHTTPRequestHandler):
    server: FakeHost

    def log_message(self, format: str, *args: object) -> None: ...

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        route = "/" + url.path.split("/")[1]
        if self.server.cut(route, "busy"):
            self.reply(503, b"")
            return
        if self.server.cut(route, "before"):
            return
        code, reply = getattr(self, f"on_{route[1:]}")(url, body)
        if self.server.cut(route, "after"):
            return
        self.reply(code, reply if isinstance(reply, bytes) else json.dumps(reply).encode())

    def reply(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def on_queue(self, url: Any, body: bytes) -> tuple[int, Any]:
        return 200, {"queue_running": [], "queue_pending": []}

    def on_ws(self, url: Any, body: bytes) -> tuple[int, Any]:
        return 404, b""

    def on_interrupt(self, url: Any, body: bytes) -> tuple[int, Any]:
        return 200, b""

    def on_history(self, url: Any, body: bytes) -> tuple[int, Any]:
        prompt_id = url.path.split("/")[-1]
        entry = self.server.history.get(prompt_id)
        return 200, {} if entry is None else {prompt_id: entry}

    def on_upload(self, url: Any, body: bytes) -> tuple[int, Any]:
        name = re.search(rb'filename="([^"]+)"', body)
        folder = re.search(rb'name="subfolder"\r\n\r\n([^\r]+)', body)
        assert name and folder
        content = body.split(b"\r\n\r\n")[-1].rsplit(b"\r\n--", 1)[0]
        path = f"{folder[1].decode()}/{name[1].decode()}"
        self.server.files[path] = content
        self.server.uploads.append(path)
        return 200, {"name": name[1].decode(), "subfolder": folder[1].decode(), "type": "input"}

    def on_prompt(self, url: Any, body: bytes) -> tuple[int, Any]:
        asked = json.loads(body)
        prompt, prompt_id = asked["prompt"], asked["prompt_id"]
        steps = prompt["3"]["inputs"]["steps"]
        if steps < 0:
            errors = [{"type": "small", "message": "Value too small", "details": "steps"}]
            node = {"class_type": "KSampler", "errors": errors, "dependent_outputs": ["4"]}
            return 400, {"error": {"message": "failed"}, "node_errors": {"3": node}}
        self.server.prompts[prompt_id] = prompt
        status: dict[str, Any] = {"status_str": "success", "completed": True, "messages": []}
        if steps == 0:
            failed = {"node_id": "3", "node_type": "KSampler", "exception_message": "no\n steps\n"}
            status = {"status_str": "error", "completed": False, "messages": [["execution_error", failed]]}
        image = {"filename": f"{prompt_id}.png", "subfolder": "", "type": "output"}
        preview = {"filename": "t.png", "subfolder": "", "type": "temp"}
        outputs = {"4": {"images": [preview, image]}} if steps else {}
        self.server.history[prompt_id] = {"status": status, "outputs": outputs}
        return 200, {"prompt_id": prompt_id, "number": 1, "node_errors": {}}

    def on_view(self, url: Any, body: bytes) -> tuple[int, Any]:
        name = parse_qs(url.query)["filename"][0]
        prompt = self.server.prompts[name.removesuffix(".png")]
        content = self.server.files[prompt["1"]["inputs"]["image"]]
        if self.server.truncate:
            self.server.truncate -= 1
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:-1])
            self.close_connection = True
            raise ConnectionError
        return 200, content


@pytest.fixture
def host() -> Iterator[FakeHost]:
    with FakeHost() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Inputs of jobs and the workflow; the content of an image does not matter to anybody here."""
    inputs = tmp_path / "inputs 输入"
    inputs.mkdir()
    for number in range(4):
        (inputs / f"p{number}.png").write_bytes(b"image %d" % number * (number + 1))
    (inputs / "s.wav").write_bytes(b"sound")
    (inputs / "w.json").write_text(json.dumps(WORKFLOW), encoding="utf-8")
    return inputs
