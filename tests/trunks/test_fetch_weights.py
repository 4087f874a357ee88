"""Weights over HTTP from a server of this machine: whole, right, or not there."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from realitycheck.errors import InputError
from realitycheck.trunks import fetch_weights as download
from realitycheck.trunks.weights import locate

BODY = b"weights of a trunk" * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        type(self).asked += 1
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/file.pth")  # an address for documentation (RFC 5737)
            self.end_headers()
            return
        self.send_response(404 if self.path.startswith("/none") else 200)
        self.send_header("Content-Length", str(len(BODY) + (10 if self.path.startswith("/cut") else 0)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *args):
        """Silence."""


def refusal(source, **keywords):
    """The one problem of locating a source."""
    try:
        locate(source, **keywords)
    except InputError as error:  # not `pytest.raises`: it would keep the frames with open sockets alive
        (problem,) = error.problems
        return problem
    raise AssertionError("no error")


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Handler.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_is_fetched_once(server, tmp_path):
    folder = tmp_path / "weights"
    for _ in range(2):
        path = locate(f"{server}/file-1.2.pth?download=1", sha256=DIGEST, folder=folder)
        assert path == folder / "file-1.2.pth"
        assert path.read_bytes() == BODY
    assert Handler.asked == 1
    assert [path.name for path in folder.iterdir()] == ["file-1.2.pth"]


@pytest.mark.parametrize(
    ("path", "sha256", "code"),
    [
        ("/file.pth", "0" * 64, "digest-mismatch"),
        ("/none.pth", DIGEST, "download-failed"),
        ("/cut.pth", DIGEST, "download-failed"),
        ("/away.pth", DIGEST, "address-not-https"),
        ("/", DIGEST, "weights-address"),
        ("/..", DIGEST, "weights-address"),
    ],
)
def test_a_failed_download_leaves_nothing(server, tmp_path, path, sha256, code):
    assert refusal(server + path, sha256=sha256, folder=tmp_path).code == code
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(server, tmp_path):
    problem = refusal("http://127.0.0.1:9/file.pth", sha256=DIGEST, folder=tmp_path)
    assert problem.code == "download-failed"
    assert f"put it at {tmp_path / 'file.pth'}" in problem.says


def test_too_large(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LARGEST", 1000)
    assert refusal(f"{server}/file.pth", sha256=DIGEST, folder=tmp_path).code == "download-too-large"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://weights.invalid/a.pth", "http://127.0.0.1.weights.invalid/a.pth"])
def test_only_this_machine_may_do_without_https(tmp_path, url):
    assert refusal(url, sha256=DIGEST, folder=tmp_path).code == "address-not-https"


def test_an_existing_file_is_not_replaced(server, tmp_path):
    (tmp_path / "file.pth").write_bytes(b"something else")
    assert refusal(f"{server}/file.pth", sha256=DIGEST, folder=tmp_path).code == "digest-mismatch"
    assert (tmp_path / "file.pth").read_bytes() == b"something else"
    assert Handler.asked == 0
