"""A web server on loopback that can misbehave, and a catalogue that points at it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Site:
    """What a server offers and how it behaves; ``requests`` are (path, Range header) as they came."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True  # understands the Range header
    cut: int | None = None  # closes the connection after this many bytes of a file
    requests: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    """A running server."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.requests.append((self.path, wanted))
            if self.path not in site.files:
                self.send_error(404)
                return
            content, start = site.files[self.path], 0
            if wanted and site.ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:] if site.cut is None else content[start : start + site.cut])

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass  # a client that has enough and hangs up

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Home:
    """A cache directory with a catalogue of its own."""

    path: Path

    def add(self, name: str, content: bytes, **changes: Any) -> Path:
        """Describe a model of this content; returns where its file will be."""
        file = self.path / "catalogue.json"
        entry = {"file": f"{name}.onnx", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        entry |= {"licence": "MIT", "task": "inpaint"}
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | {name: entry | changes}))
        return self.path / "models" / f"{name}.onnx"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home that may use the network, which is loopback only."""
    monkeypatch.setenv("IMGEN_HOME", str(tmp_path))
    monkeypatch.delenv("IMGEN_OFFLINE")
    return Home(tmp_path)
