"""Where weights come from, and what a file of them may hold."""

import hashlib
import os

import pytest
import safetensors.torch
import torch

from realitycheck.errors import InputError
from realitycheck.trunks.weights import locate, read

TENSORS = {"conv.weight": torch.arange(6.0).reshape(2, 3), "conv.bias": torch.ones(2)}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refusal(call, *args, **keywords):
    """The one problem of a call."""
    with pytest.raises(InputError) as caught:
        call(*args, **keywords)
    (problem,) = caught.value.problems
    return problem


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that must not be imported, with a file inside, and a file outside."""
    root = tmp_path / "site" / "rc_toy_weights"
    (root / "models").mkdir(parents=True)
    (root / "__init__.py").write_text("raise RuntimeError('imported')")
    (root / "models" / "toy.pth").write_bytes(b"toy")
    (tmp_path / "site" / "secret.pth").write_bytes(b"toy")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return root


@pytest.mark.parametrize("digits", [8, 9, 64])
def test_paths_and_prefixes(tmp_path, digits):
    path = tmp_path / "a.pth"
    path.write_bytes(b"abc")
    assert locate("a.pth", sha256=digest(path)[:digits], folder=tmp_path) == path
    assert locate(str(path), sha256=digest(path)[:digits].upper(), folder=tmp_path / "elsewhere") == path


@pytest.mark.parametrize(
    ("sha256", "code"),
    [
        ("ba7816bf" + "0" * 56, "digest-mismatch"),
        ("ba7816b", "weights-sha256-invalid"),
        ("", "weights-sha256-invalid"),
        ("ba7816bg", "weights-sha256-invalid"),
        ("ba7816bf\n", "weights-sha256-invalid"),
    ],
)
def test_wrong_digests(tmp_path, sha256, code):
    """SHA-256 of "abc" is the first example of FIPS 180-2."""
    (tmp_path / "a.pth").write_bytes(b"abc")
    assert refusal(locate, "a.pth", sha256=sha256, folder=tmp_path).code == code


def test_another_digest_is_shown(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"abc")
    problem = refusal(locate, "a.pth", sha256="0" * 8, folder=tmp_path)
    assert "ba7816bf8f01cfea" in problem.says and "00000000" in problem.says


def test_no_such_file(tmp_path):
    problem = refusal(locate, "a.pth", sha256="0" * 8, folder=tmp_path)
    assert problem.code == "weights-missing" and str(tmp_path / "a.pth") in problem.says


def test_a_file_of_a_package_is_found_without_its_code(package, tmp_path):
    path = package / "models" / "toy.pth"
    actual = locate("package:rc_toy_weights/models/toy.pth", sha256=digest(path), folder=tmp_path)
    assert actual == path


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("package:rc_toy_weights/../secret.pth", "weights-outside-package"),
        ("package:rc_toy_weights//etc/hostname", "weights-outside-package"),
        ("package:rc_toy_weights/models/none.pth", "weights-missing"),
        ("package:rc_toy_weights", "weights-source-invalid"),
        ("package:../rc_toy_weights/models/toy.pth", "weights-source-invalid"),
        ("package:rc_no_weights/toy.pth", "weights-package-missing"),
        ("package:hashlib/toy.pth", "weights-package-missing"),
    ],
)
def test_wrong_package_sources(package, tmp_path, source, code):
    sha256 = digest(package / "models" / "toy.pth")
    assert refusal(locate, source, sha256=sha256, folder=tmp_path).code == code


def test_a_link_out_of_a_package_is_not_followed(package, tmp_path):
    (package / "link.pth").symlink_to(tmp_path / "site" / "secret.pth")
    problem = refusal(locate, "package:rc_toy_weights/link.pth", sha256="0" * 8, folder=tmp_path)
    assert problem.code == "weights-outside-package"


@pytest.mark.parametrize(
    "content",
    [
        TENSORS,
        {"state_dict": TENSORS},
        {"model": TENSORS, "epoch": 3, "optimizer": {"lr": 0.1}},
        {"state_dict": {f"module.{name}": tensor for name, tensor in TENSORS.items()}},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files(tmp_path, content, zipped):
    path = tmp_path / "a.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    same(read(path))


def test_safetensors(tmp_path):
    safetensors.torch.save_file(TENSORS, tmp_path / "a.safetensors")
    same(read(tmp_path / "a.safetensors"))


def same(tensors):
    assert list(tensors) == list(TENSORS) or set(tensors) == set(TENSORS)
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("never",)


@pytest.mark.parametrize(
    ("content", "code", "names"),
    [
        ({"a": Hostile()}, "weights-unreadable", "UnpicklingError"),
        (torch.nn.Linear(1, 1), "weights-unreadable", "UnpicklingError"),
        ([torch.ones(1)], "weights-not-tensors", "list"),
        ({}, "weights-not-tensors", "dict"),
        ({"state_dict": TENSORS, "model": TENSORS}, "weights-not-tensors", "dict 'state_dict'"),
        ({**TENSORS, "epoch": 3}, "weights-not-tensors", "int 'epoch' (1 of 3 entries)"),
        ({3: torch.ones(1)}, "weights-not-tensors", "Tensor '3'"),
    ],
)
def test_what_is_not_tensors_is_refused(tmp_path, content, code, names, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(content, tmp_path / "a.pth")
    problem = refusal(read, tmp_path / "a.pth")
    assert problem.code == code and names in problem.says
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_truncated_files(tmp_path, suffix, kept):
    path = tmp_path / f"a{suffix}"
    if suffix == ".pth":
        torch.save(TENSORS, path)
    else:
        safetensors.torch.save_file(TENSORS, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert refusal(read, path).code == "weights-unreadable"
