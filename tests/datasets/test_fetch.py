"""Downloads are resumed, and only the expected file is accepted."""

import hashlib
import io
import os
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from realitycheck.datasets.fetching import fetch as fetch_module
from realitycheck.datasets.fetching.download import download
from realitycheck.datasets.fetching.fetch import SOURCES, Source, fetch
from realitycheck.datasets.menu import MENU
from realitycheck.errors import InputError

CONTENT = os.urandom(3 * 2**20 + 17)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files` on this machine; `cut` bytes are the last before the connection breaks."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/data": CONTENT}
        self.knows_ranges = True
        self.cut = None
        self.asked = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers["Range"]
        self.server.asked.append(wanted)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.knows_ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def get(address, target, *, content=CONTENT):
    calls = []
    download(address, target, sha256=sha256(content), size=len(content), progress=lambda *both: calls.append(both))
    return calls


def test_a_download(server, tmp_path):
    calls = get(f"{server.address}/data", tmp_path / "data")
    assert (tmp_path / "data").read_bytes() == CONTENT
    assert calls[-1] == (len(CONTENT), len(CONTENT)) and calls == sorted(calls)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert get(f"{server.address}/data", tmp_path / "data") == [], "an existing file is not downloaded again"


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_an_interrupted_download_is_resumed(server, tmp_path, knows_ranges):
    server.cut = 2 * 2**20
    with pytest.raises(InputError, match=r"\[download-failed\]"):
        get(f"{server.address}/data", tmp_path / "data")
    assert not (tmp_path / "data").exists()
    server.cut, server.knows_ranges = None, knows_ranges
    get(f"{server.address}/data", tmp_path / "data")
    assert (tmp_path / "data").read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={2 * 2**20}-"]


def test_a_part_that_is_whole_is_taken_without_asking(server, tmp_path):
    (tmp_path / "data.part").write_bytes(CONTENT)
    get(f"{server.address}/data", tmp_path / "data")
    assert server.asked == [] and (tmp_path / "data").read_bytes() == CONTENT


def test_another_file_is_refused(server, tmp_path):
    """Its part is removed, so that the next call does not resume it."""
    server.files["/data"] = bytes(len(CONTENT))
    with pytest.raises(InputError, match=rf"{sha256(CONTENT)}.*\[digest-mismatch\]"):
        get(f"{server.address}/data", tmp_path / "data")
    assert not list(tmp_path.iterdir())


def test_a_longer_file_is_refused(server, tmp_path):
    with pytest.raises(InputError, match=r"1,000 bytes.*\[size-mismatch\]"):
        get(f"{server.address}/data", tmp_path / "data", content=CONTENT[:1000])
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "data.part").exists()


@pytest.mark.parametrize("address", ["http://example.org/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "data", ""])
def test_only_https_is_taken(tmp_path, address):
    with pytest.raises(InputError, match=r"\[address-not-https\]"):
        get(address, tmp_path / "data")


@pytest.mark.parametrize("there", ["http://example.org/x", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirections_are_held_to_the_same(server, tmp_path, there):
    with pytest.raises(InputError, match=r"\[address-not-https\]|is not allowed"):
        get(f"{server.address}/to/{there}", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_no_answer_is_an_error(server, tmp_path):
    with pytest.raises(InputError, match=r"HTTP Error 404.*\[download-failed\]"):
        get(f"{server.address}/nothing", tmp_path / "data")


def tgz(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def offer(server, monkeypatch, name, content, **more):
    server.files["/x"] = content
    source = replace(SOURCES[name], address=f"{server.address}/x", sha256=sha256(content), size=len(content), **more)
    monkeypatch.setitem(SOURCES, name, source)
    return source


def test_from_a_name_to_a_root(server, tmp_path, monkeypatch):
    offer(server, monkeypatch, "cub200", tgz({"CUB_200_2011/classes.txt": b"1 a\n", "attributes.txt": b""}))
    root = fetch("cub200", tmp_path / "data", progress=lambda *_: None)
    assert root == tmp_path / "data" / "cub200" / "CUB_200_2011"
    assert (root / "classes.txt").read_bytes() == b"1 a\n"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["cub200"]
    assert fetch("cub200", tmp_path / "data", progress=lambda *_: None) == root
    assert len(server.asked) == 1


def test_an_archive_within_an_archive(server, tmp_path, monkeypatch):
    inner = tgz({"101_ObjectCategories/ant/1.jpg": b"1"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        out.writestr("caltech-101/101_ObjectCategories.tar.gz", inner)
    member = SOURCES["caltech101"].inner[0]
    offer(server, monkeypatch, "caltech101", buffer.getvalue(), inner=(member, sha256(b"another")))
    with pytest.raises(InputError, match=r"101_ObjectCategories\.tar\.gz(?s:.*)\[digest-mismatch\]"):
        fetch("caltech101", tmp_path, progress=lambda *_: None)
    assert not (tmp_path / "caltech101").exists()
    offer(server, monkeypatch, "caltech101", buffer.getvalue(), inner=(member, sha256(inner)))
    root = fetch("caltech101", tmp_path, progress=lambda *_: None)
    assert (root / "ant" / "1.jpg").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["caltech101"]


def test_an_archive_that_was_downloaded_by_hand(tmp_path, monkeypatch):
    content = tgz({"Stanford_Online_Products/Ebay_train.txt": b""})
    monkeypatch.setitem(fetch_module.SOURCES, "sop", replace(SOURCES["sop"], sha256=sha256(content)))
    with pytest.raises(InputError, match=r"Stanford_Online_Products\.zip.*\[dataset-by-hand\]"):
        fetch("sop", tmp_path, progress=lambda *_: None)
    (tmp_path / "Stanford_Online_Products.zip").write_bytes(b"another file")
    with pytest.raises(InputError, match=r"\[digest-mismatch\]"):
        fetch("sop", tmp_path, progress=lambda *_: None)
    (tmp_path / "Stanford_Online_Products.zip").write_bytes(content)
    assert (fetch("sop", tmp_path, progress=lambda *_: None) / "Ebay_train.txt").exists()
    assert (tmp_path / "Stanford_Online_Products.zip").exists()


@pytest.mark.parametrize("name", [name for name, entry in MENU.items() if entry.needs_root and name not in SOURCES])
def test_source_and_layout_of_other_datasets_are_named(tmp_path, name):
    with pytest.raises(InputError) as caught:
        fetch(name, tmp_path, progress=lambda *_: None)
    (problem,) = caught.value.problems
    assert problem.code == "dataset-by-hand"
    assert MENU[name].where in problem.says and MENU[name].layout in problem.says


@pytest.mark.parametrize(("name", "code"), [("sketches", "dataset-not-fetchable"), ("no such", "dataset-unknown")])
def test_what_cannot_be_fetched_is_refused(tmp_path, name, code):
    with pytest.raises(InputError, match=rf"'{name}'.*cub200.*\[{code}\]"):
        fetch(name, tmp_path, progress=lambda *_: None)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_sources_are_pinned_and_safe(source: Source):
    assert source.address is None or source.address.startswith("https://")
    for digest in (source.sha256, *(source.inner or ())[1:]):
        assert len(digest) == 64 and int(digest, 16)
