"""A stand-in for the hub's server, on this machine: as much of its interface as fetching a model takes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
LARGE = 2**20


@dataclass
class Hub:
    """One repository.

    Attributes:
        id: of the model.
        files: by name.
        refusal: status and error code that every request is answered with.
        cut: bytes of a large file after which the line is cut, so many times.
        held: set: large files stop in the middle until it is cleared.
        sent: (file, first byte) of every GET of a file.
        lie: whether large files come with a byte changed.
        short: bytes after which the body of a large file ends each time, as if that were all of it; 0 where it is.
        ranges: whether a file is sent from the middle where that is asked for.
    """

    id: str
    files: dict[str, bytes]
    refusal: tuple[int, str] | None = None
    cut: int | None = None
    cuts_left: int = 0
    hold: bool = False
    lie: bool = False
    short: int = 0
    ranges: bool = True
    sent: list[tuple[str, int]] = field(default_factory=list)
    halfway: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def hash_of(self, name: str) -> str:
        """The etag: sha256 of what is large, a git hash's length of what is small."""
        data = self.files[name]
        return hashlib.sha256(data).hexdigest() if len(data) >= LARGE else hashlib.sha1(data).hexdigest()

    def info(self) -> dict[str, object]:
        siblings = [
            {"rfilename": name, "size": len(data), "blobId": self.hash_of(name)[:40]}
            for name, data in self.files.items()
        ]
        return {"id": self.id, "modelId": self.id, "sha": COMMIT, "siblings": siblings, "tags": []}


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serves it on a port of its own; `hub.url` is then where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            if hub.refusal is not None:
                status, code = hub.refusal
                self._head(status, {"X-Error-Code": code, "X-Error-Message": "no", "Content-Length": "0"})
            elif path in (f"/api/models/{hub.id}", f"/api/models/{hub.id}/revision/main"):
                data = json.dumps(hub.info()).encode()
                self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(data))})
                self.wfile.write(data if body else b"")
            elif path.startswith(f"/{hub.id}/resolve/") and path.split("/", 5)[-1] in hub.files:
                self._file(path.split("/", 5)[-1], body)
            else:
                self._head(404, {"X-Error-Code": "RepoNotFound", "Content-Length": "0"})

        def _file(self, name: str, body: bool) -> None:
            data = hub.files[name]
            large = len(data) >= LARGE
            first = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0]) if hub.ranges else 0
            end = hub.short if body and large and hub.short else len(data)
            common = {
                "X-Repo-Commit": COMMIT,
                "ETag": f'"{hub.hash_of(name)}"',
                **({"X-Linked-Etag": f'"{hub.hash_of(name)}"', "X-Linked-Size": str(len(data))} if large else {}),
                "Content-Length": str(max(0, end - first)),
                "Accept-Ranges": "bytes",
            }
            if first:
                self._head(206, {**common, "Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"})
            else:
                self._head(200, common)
            if not body:
                return
            hub.sent.append((name, first))
            rest = data[first:end]
            if large and hub.lie:
                rest = rest[:-1] + bytes([rest[-1] ^ 1])
            if large and hub.cut is not None and hub.cuts_left:
                hub.cuts_left -= 1
                self.wfile.write(rest[: hub.cut])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
            elif large and hub.hold:
                self.wfile.write(rest[: len(rest) // 2])
                self.wfile.flush()
                hub.halfway.set()
                hub.ended.wait(30)
                self.close_connection = True
            else:
                self.wfile.write(rest)

        def _head(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.ended.set()
        server.shutdown()
        server.server_close()
