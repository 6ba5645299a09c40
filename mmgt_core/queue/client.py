"""One ComfyUI server over HTTP and its websocket: the only file of the queue that opens a connection.

Proxies of the environment are not used: the servers are one's own. What the network broke is tried again,
with growing pauses, until `patience` is spent; what the server refused is not.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ..base.atomic_files import atomic_write
from ..base.errors import DependencyError, InputError, MMGTError
from .replies import JobError, RemoteFile, RunStatus, State, one_line, refusal, run_status

TIMEOUT = 60.0  # seconds without a byte
PATIENCE = 60.0  # a server with many packs starts again within a minute
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
BUSY = (429, 502, 503, 504)  # said by what stands before the server, or by one that just starts
BLOCK = 1 << 20
MAX_JSON = 256 << 20
MAX_MESSAGE = 64 << 20  # previews of many frames come over the websocket, too


class NetworkError(MMGTError):
    """A server could not be reached, or the connection broke, for longer than its patience."""


class Server:
    """One server; every method may be called from several threads at once.

    Args:
        url: "http://host:port", https too, also with a path before the routes.
        patience: seconds for which a broken request is tried again.
        pause: waits so many seconds; may raise to end the waiting early.
    """

    def __init__(
        self, url: str, *, patience: float = PATIENCE, pause: Callable[[float], object] = time.sleep
    ):
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise InputError("not the address of a server", where=url, fix="write http://127.0.0.1:8188")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, port or (443 if self._secure else 80)
        self._path = parts.path.rstrip("/")
        self._patience, self._pause = patience, pause
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"{parts.scheme}://{host}:{self._port}{self._path}"

    def check(self) -> None:
        """Raise NetworkError where no server answers, InputError where it is not a ComfyUI."""
        if not isinstance(self._queue(), dict):
            raise InputError("this is not a ComfyUI server", where=self.url, fix="check the address")

    def upload(self, path: Path, name: str, subfolder: str) -> str:
        """Put a file of any kind into the server's input folder; returns the name that nodes know it by."""
        boundary = f"mmgt-{random.getrandbits(128):032x}"
        fields = {"type": "input", "subfolder": subfolder}
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{quote(name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
        }
        code, reply = self._ask(
            "POST", "/upload/image", lambda: _multipart(head.encode(), path, tail), headers
        )
        if code != 200 or not isinstance(reply, dict) or not reply.get("name"):
            why = "it is larger than the server's --max-upload-size" if code == 413 else f"answer {code}"
            raise JobError(f"the server does not take {path.name}: {why}")
        folder = reply.get("subfolder")
        return f"{folder}/{reply['name']}" if folder else str(reply["name"])

    def submit(self, prompt: Mapping[str, Any], prompt_id: str, client_id: str) -> str:
        """Queue a prompt under an id of ours, so that a lost answer never makes it run twice; returns its id.

        Raises JobError where the server refuses it.
        """
        body = json.dumps({"prompt": prompt, "prompt_id": prompt_id, "client_id": client_id}).encode()
        headers = {"Content-Type": "application/json"}

        def arrived() -> bool:
            return self.status(prompt_id).state is not State.UNKNOWN

        code, reply = self._ask("POST", "/prompt", lambda: body, headers, arrived)
        reply = reply if isinstance(reply, dict) else {}
        if code != 200:
            raise JobError(refusal(reply, prompt) if reply else f"the server answers {code} to the workflow")
        prompt_id = str(reply.get("prompt_id", prompt_id))
        if reply.get("node_errors"):  # the host would run the rest of the workflow
            self.cancel(prompt_id)
            raise JobError(refusal(reply, prompt))
        return prompt_id

    def status(self, prompt_id: str) -> RunStatus:
        """What became of a prompt."""
        path = f"/history/{quote(prompt_id)}"
        entry = self._json(path).get(prompt_id)
        if entry is None:
            queue = self._queue() or {}
            items = [*(queue.get("queue_running") or ()), *(queue.get("queue_pending") or ())]
            if any(item[1] == prompt_id for item in items if isinstance(item, list) and len(item) > 1):
                return RunStatus(State.WAITING)
            entry = self._json(path).get(prompt_id)  # it may have ended between the two questions
        return run_status(entry)

    def fetch(self, file: RemoteFile, path: Path) -> None:
        """Write a result to `path`: whole or not at all."""
        query = urlencode({"filename": file.filename, "subfolder": file.subfolder, "type": file.type})

        def receive(response: http.client.HTTPResponse, part: Path) -> int:
            if response.status == 200:
                expected, received = response.length, 0
                with part.open("wb") as stream:
                    while block := response.read(BLOCK):
                        received += len(block)
                        stream.write(block)
                if expected is not None and received != expected:
                    raise http.client.IncompleteRead(b"", expected - received)
            return response.status

        with atomic_write(path) as temporary:
            into = partial(receive, part=temporary)
            code = self._patiently(lambda: self._request("GET", f"/view?{query}", None, {}, into))
            if code != 200:
                raise JobError(f"the server no longer has the result {file.filename} (answer {code})")

    def cancel(self, prompt_id: str) -> None:
        """Take a prompt out of the queue, or interrupt it where it runs; once, without patience."""
        headers = {"Content-Type": "application/json"}
        for path, what in (("/queue", {"delete": [prompt_id]}), ("/interrupt", {"prompt_id": prompt_id})):
            self._request("POST", path, json.dumps(what).encode(), headers, _read_json, timeout=5)

    def events(self, client_id: str, timeout: float) -> Iterator[tuple[str, Mapping[str, Any]] | None]:
        """The websocket's messages as (type, data), None whenever `timeout` seconds pass without one.

        The first None says that the connection stands. Ends where the connection does; raises NetworkError
        where there is none.
        """
        websockets = require_websockets()
        url = f"{self.url.replace('http', 'ws', 1)}/ws?{urlencode({'clientId': client_id})}"
        try:
            with websockets.connect(
                url, proxy=None, open_timeout=10, close_timeout=1, max_size=MAX_MESSAGE
            ) as socket:
                yield None
                while True:
                    try:
                        message = socket.recv(timeout)
                    except TimeoutError:
                        yield None
                        continue
                    event = _event(message)
                    if event is not None:
                        yield event
        except (OSError, websockets.WebSocketException) as error:
            raise NetworkError(f"the websocket broke: {one_line(error)}", where=self.url) from error

    def _queue(self) -> dict[str, Any] | None:
        code, reply = self._ask("GET", "/queue")
        return reply if code == 200 and isinstance(reply, dict) and "queue_running" in reply else None

    def _json(self, path: str) -> dict[str, Any]:
        _, reply = self._ask("GET", path)
        return reply if isinstance(reply, dict) else {}

    def _ask(
        self,
        method: str,
        path: str,
        body: Callable[[], bytes | Iterable[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        arrived: Callable[[], bool] | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON of a patient request; after a break `arrived` says that no other try is needed."""
        tries = 0

        def once() -> tuple[int, Any]:
            nonlocal tries
            tries += 1
            if tries > 1 and arrived is not None and arrived():
                return 200, {}
            return self._request(method, path, None if body is None else body(), headers or {}, _read_json)

        return self._patiently(once)

    def _patiently(self, request: Callable[[], Any]) -> Any:
        end, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            try:
                return request()
            except (ConnectionError, TimeoutError, http.client.HTTPException, _Unreachable) as error:
                if time.monotonic() + pause > end:
                    why = one_line(error) or type(error).__name__
                    raise NetworkError(
                        f"no answer: {why}", where=self.url, fix="check that ComfyUI runs there"
                    ) from error
            self._pause(pause * random.uniform(0.8, 1.2))  # many clients must not come back all at once
            pause = min(2 * pause, LONGEST_PAUSE)

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
        read: Callable[[http.client.HTTPResponse], Any],
        timeout: float = TIMEOUT,
    ) -> Any:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=timeout)
        try:
            try:
                connection.connect()
            except OSError as error:  # an unknown host, or a certificate that does not fit, among others
                raise _Unreachable(error) from error
            # A server that refuses a large upload answers and closes before it has read all: hear it out.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, self._path + path, body, {"Accept": "*/*", **headers})
            response = connection.getresponse()
            if response.status in BUSY:
                raise _Unreachable(f"{response.status} {response.reason}")
            return read(response)
        finally:
            connection.close()


class _Unreachable(Exception):
    """No connection, or one to a server that is not ready."""


def require_websockets() -> Any:
    """The websockets client, or DependencyError: the one library that the queue needs beyond Python's own."""
    try:
        import websockets.exceptions
        import websockets.sync.client
    except ModuleNotFoundError as error:
        raise DependencyError(
            "mmgt queue follows a server over its websocket and needs the library websockets",
            fix="run: pip install 'websockets>=15'",
        ) from error

    class Client:
        connect = staticmethod(websockets.sync.client.connect)
        WebSocketException = websockets.exceptions.WebSocketException

    return Client


def _multipart(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block
    yield tail


def _read_json(response: http.client.HTTPResponse) -> tuple[int, Any]:
    text = response.read(MAX_JSON)
    if (
        response.length
    ):  # http.client says nothing of a body that broke off when it was asked for so many bytes
        raise http.client.IncompleteRead(text, response.length)
    try:
        return response.status, json.loads(text)
    except (ValueError, RecursionError):
        return response.status, None


def _event(message: str | bytes) -> tuple[str, Mapping[str, Any]] | None:
    """A text message as (type, data); None for previews and what is no message of the host's."""
    if isinstance(message, bytes):
        return None
    try:
        event = json.loads(message)
    except ValueError:
        return None
    data = event.get("data") if isinstance(event, dict) else None
    return (str(event.get("type")), data) if isinstance(data, dict) else None
