"""Real servers on loopback for the store: an S3 server, and web servers with a certificate of their own."""

import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import binaries

KEY, SECRET = "loopback-key", "loopback-secret"


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """versitygw on a folder whose subfolders are buckets; yields its address."""
    binaries.ensure()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(binaries.path("versitygw")), "--port", f"127.0.0.1:{port}", "posix", str(folder)]
    environment = {**os.environ, "ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _listening(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None, "the S3 server ended"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the S3 server does not listen")


def certificate(folder: Path) -> tuple[Path, Path, Path]:
    """An authority's certificate, and certificate and key of 127.0.0.1 that it signed."""
    authority, authority_key, request = (folder / name for name in ("ca.pem", "ca.key", "request.pem"))
    leaf, key, names = (folder / name for name in ("leaf.pem", "leaf.key", "names.txt"))
    names.write_text("subjectAltName=IP:127.0.0.1")
    new = ["-newkey", "rsa:2048", "-nodes"]
    for command in (
        ["req", "-x509", *new, "-days", "2", "-subj", "/CN=authority", "-keyout", authority_key, "-out", authority],
        ["req", *new, "-subj", "/CN=loopback", "-keyout", key, "-out", request],
        [
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            authority,
            "-CAkey",
            authority_key,
            "-days",
            "2",
            "-extfile",
            names,
            "-out",
            leaf,
        ],
    ):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return authority, leaf, key


class _Handler(http.server.BaseHTTPRequestHandler):
    """`/file` is a file; `/to/<address>` leads there; `/status/<code>` is that status; `/endless` has no length."""

    content = b"at,late\n2026-01-01,true\n"
    answer: tuple[int, bytes] | None = None
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        if self.answer:
            self.send_response(self.answer[0])
            self.send_header("Content-Length", str(len(self.answer[1])))
            self.end_headers()
            self.wfile.write(self.answer[1])
            return
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/").replace("_", "/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path.startswith("/status/"):
            self.send_error(int(self.path.rsplit("/", 1)[1]))
            return
        self.send_response(200)
        if not self.path.startswith("/endless"):
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the name is the base class's
        pass


@contextmanager
def web(
    secured: tuple[Path, Path] | None, *, answer: tuple[int, bytes] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """A web server; yields its port and the paths that it was asked for. With a certificate it speaks TLS. `answer` is
    the status and the body of every answer."""
    seen: list[str] = []
    handler = type("Handler", (_Handler,), {"seen": seen, "answer": answer})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if secured:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secured)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
