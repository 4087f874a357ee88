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
    ("sha256", "says"),
    [
        ("ba7816bf" + "0" * 56, "must have the SHA-256 ba7816bf0+; got ba7816bf8f01cfea"),
        ("ba7816b", "must have a sha256 of 8 to 64 hex digits; got 'ba7816b'"),
        ("", "8 to 64 hex digits"),
        ("ba7816bg", "8 to 64 hex digits"),
        ("ba7816bf\n", "8 to 64 hex digits"),
    ],
)
def test_wrong_digests(tmp_path, sha256, says):
    """SHA-256 of "abc" is the first example of FIPS 180-2."""
    (tmp_path / "a.pth").write_bytes(b"abc")
    with pytest.raises(InputError, match=says):
        locate("a.pth", sha256=sha256, folder=tmp_path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"must be a file; got none at .*a\.pth"):
        locate("a.pth", sha256="0" * 8, folder=tmp_path)


def test_a_file_of_a_package_is_found_without_its_code(package, tmp_path):
    path = package / "models" / "toy.pth"
    found = locate("package:rc_toy_weights/models/toy.pth", sha256=digest(path), folder=tmp_path)
    assert found == path


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("package:rc_toy_weights/../secret.pth", "must stay inside its package"),
        ("package:rc_toy_weights//etc/hostname", "must stay inside its package"),
        ("package:rc_toy_weights/models/none.pth", "must be a file; got none"),
        ("package:rc_toy_weights", "must be package:<import name>/<path inside>"),
        ("package:../rc_toy_weights/models/toy.pth", "must be package:<import name>/<path inside>"),
        ("package:rc_no_weights/toy.pth", "no package 'rc_no_weights'.*pip install rc_no_weights"),
        ("package:hashlib/toy.pth", "no package 'hashlib'"),
    ],
)
def test_wrong_package_sources(package, tmp_path, source, says):
    with pytest.raises(InputError, match=says):
        locate(source, sha256=digest(package / "models" / "toy.pth"), folder=tmp_path)


def test_a_link_out_of_a_package_is_not_followed(package, tmp_path):
    (package / "link.pth").symlink_to(tmp_path / "site" / "secret.pth")
    with pytest.raises(InputError, match="must stay inside its package"):
        locate("package:rc_toy_weights/link.pth", sha256="0" * 8, folder=tmp_path)


@pytest.mark.parametrize(
    "held",
    [
        TENSORS,
        {"state_dict": TENSORS},
        {"model": TENSORS, "epoch": 3, "optimizer": {"lr": 0.1}},
        {"state_dict": {f"module.{name}": tensor for name, tensor in TENSORS.items()}},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files(tmp_path, held, zipped):
    path = tmp_path / "a.pth"
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
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
    ("held", "says"),
    [
        ({"a": Hostile()}, "must be a whole file of tensors alone; got UnpicklingError"),
        (torch.nn.Linear(1, 1), "must be a whole file of tensors alone; got UnpicklingError"),
        ([torch.ones(1)], "must hold tensors by name; got list"),
        ({}, "must hold tensors by name; got dict"),
        ({"state_dict": TENSORS, "model": TENSORS}, "got dict as 'state_dict'"),
        ({**TENSORS, "epoch": 3}, r"got int as 'epoch' \(1 such\)"),
        ({3: torch.ones(1)}, "got Tensor as '3'"),
    ],
)
def test_what_is_not_tensors_is_refused(tmp_path, held, says, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(InputError, match=says):
        read(tmp_path / "a.pth")
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
    with pytest.raises(InputError, match="must be a whole file of tensors alone"):
        read(path)
