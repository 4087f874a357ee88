"""`check` and `run` look into the weights of a trunk before anything is trained."""

from __future__ import annotations

import hashlib
import shutil

import pytest
import torch
from small_study import PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.trunks.convnet import ConvNet

TRUNK = "{name: convnet, channels: 4}"


def study(home, tensors, *, source="w.pth", digest=None):
    """A study whose trunk begins with these tensors."""
    (home / "weights").mkdir(parents=True, exist_ok=True)
    file = home / "weights" / "w.pth"
    torch.save(tensors, file)
    sha = digest or hashlib.sha256(file.read_bytes()).hexdigest()
    trunk = f"{{name: convnet, channels: 4, weights: {{source: '{source}', sha256: {sha}}}}}"
    return write_study(home, protocol=PROTOCOL.replace(TRUNK, trunk))


def problems(path):
    with pytest.raises(InputError) as caught:
        verbs.check_study(path)
    return [problem.says for problem in caught.value.problems]


def fitting(channels=4):
    return ConvNet(in_channels=3, channels=channels).state_dict()


def test_fitting_weights_pass(tmp_path):
    verbs.check_study(study(tmp_path, fitting()))


def test_weights_of_another_width_are_told_with_their_file(tmp_path):
    (told,) = problems(study(tmp_path, fitting(channels=5)))
    assert "recipe.trunk.weights: " in told
    assert str(tmp_path / "weights" / "w.pth") in told
    assert "tensors with another shape" in told


def test_a_missing_file_is_told_with_the_missing_data(tmp_path):
    path = study(tmp_path, fitting())
    (tmp_path / "weights" / "w.pth").unlink()
    shutil.rmtree(tmp_path / "pictures")
    found = problems(path)
    assert len(found) == 2
    assert any("w.pth: no such file" in each for each in found)
    assert any("no such folder" in each for each in found)


def test_another_digest_is_told(tmp_path):
    (told,) = problems(study(tmp_path, fitting(), digest="ab112233"))
    assert "SHA-256 mismatch: expected ab112233" in told


def test_what_is_still_to_be_fetched_is_a_warning_with_its_place(tmp_path):
    read = verbs.check_study(study(tmp_path, fitting(), source="https://localhost:9/other.pth"))
    (told,) = [each.says for each in verbs.study_warnings(read)]
    assert f"put the file at {tmp_path / 'weights' / 'other.pth'}." in told
    assert verbs.study_warnings(verbs.check_study(study(tmp_path, fitting()))) == []


def test_what_was_fetched_before_is_looked_into(tmp_path):
    (told,) = problems(study(tmp_path, fitting(channels=5), source="https://localhost:9/w.pth"))
    assert "tensors with another shape" in told


def test_run_refuses_before_it_trains(tmp_path):
    path = study(tmp_path, fitting(channels=5))
    with pytest.raises(InputError, match="tensors with another shape"):
        verbs.run_study(verbs.load_study(path), device="cpu")
    assert not list(tmp_path.rglob("attempts/*"))
