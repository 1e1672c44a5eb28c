"""A tiny HTTP server that poses as a Kubo daemon and answers what a test tells it to.

For what a real daemon will not do: wrong bytes, half an answer, an endless one, another CID.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from vault.files import write_private

Answer = Callable[[BaseHTTPRequestHandler], None]
DURABLE = {
    "Datastore": {
        "Spec": {"type": "mount", "mounts": [{"type": "flatfs", "sync": True}, {"type": "levelds"}]}
    }
}


@dataclass
class FakeKubo:
    """Answers by path (`block/get`); unknown paths get status 404."""

    address: str
    credentials: Path
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]], str]] = field(default_factory=list)
    """Path, parameters and Authorization header of every request."""


def reply(body: bytes, status: int = 200, content_type: str = "application/json") -> Answer:
    """An answer of these bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def reply_json(value: object, status: int = 200) -> Answer:
    """An answer of this JSON."""
    return reply(json.dumps(value).encode(), status)


def reply_cut(body: bytes) -> Answer:
    """An answer that promises twice these bytes and breaks off after them."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2 * len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


def reply_endless(handler: BaseHTTPRequestHandler) -> None:
    """An answer that goes on until the client hangs up."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
    except OSError:
        handler.close_connection = True


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other, the last one for ever."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


@contextmanager
def fake_kubo(folder: Path) -> Iterator[FakeKubo]:
    """A running server; its credentials file is in `folder`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._read_body()
            url = urlsplit(self.path)
            path = url.path.removeprefix("/api/v0/")
            fake.asked.append((path, parse_qs(url.query), self.headers.get("Authorization", "")))
            fake.answers.get(path, reply(b"no such path", 404, "text/plain"))(self)

        def _read_body(self) -> None:
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            else:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    credentials = folder / "fake-credentials"
    write_private(credentials, b"vault:secret\n")
    fake = FakeKubo(f"/ip4/127.0.0.1/tcp/{server.server_port}", credentials)
    fake.answers["config/show"] = reply_json(DURABLE)
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
