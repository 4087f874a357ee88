"""`check` and `run` examine the weights of a trunk before anything is trained."""

from __future__ import annotations

import hashlib
import shutil

import pytest
import torch
from homes import refused
from small_study import PROTOCOL, write_study

from realitycheck import verbs
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
    """What is said of a study, beside the place: that of the weights in the protocol, or the dataset."""
    found = refused(verbs.check_study, path)
    where = {"protocol": "recipe.trunk.weights: ", "datasets.pictures": ""}
    assert all(where[problem.where] in problem.says for problem in found)
    return [problem.says for problem in found]


def fitting(channels=4):
    return ConvNet(in_channels=3, channels=channels).state_dict()


def test_fitting_weights_pass(tmp_path):
    verbs.check_study(study(tmp_path, fitting()))


def test_weights_of_another_width_are_named_with_their_file(tmp_path):
    (says,) = problems(study(tmp_path, fitting(channels=5)))
    assert str(tmp_path / "weights" / "w.pth") in says


def test_a_missing_file_is_listed_with_the_missing_data(tmp_path):
    path = study(tmp_path, fitting())
    (tmp_path / "weights" / "w.pth").unlink()
    shutil.rmtree(tmp_path / "pictures")
    weights, pictures = problems(path)
    assert "w.pth" in weights
    assert str(tmp_path / "pictures") in pictures


def test_another_digest_is_found(tmp_path):
    (says,) = problems(study(tmp_path, fitting(), digest="ab112233"))
    assert "ab112233" in says


@pytest.mark.parametrize("source", ["w" * 300 + ".pth", "https://localhost:9/" + "w" * 300 + ".pth"])
def test_a_name_that_no_file_can_have(tmp_path, source):
    assert len(problems(study(tmp_path, fitting(), source=source))) == 1


def test_what_is_still_to_be_fetched_is_a_warning_with_its_place(tmp_path):
    read = verbs.check_study(study(tmp_path, fitting(), source="https://localhost:9/other.pth"))
    (warning,) = unfetched(read)
    assert warning.where == "protocol"
    assert str(tmp_path / "weights" / "other.pth") in warning.says
    assert unfetched(verbs.check_study(study(tmp_path, fitting()))) == []


@pytest.mark.parametrize(
    ("source", "code"),
    [("http://192.0.2.1/other.pth", "address-not-https"), ("https://localhost:9/", "weights-address")],
)
def test_what_cannot_be_fetched_is_found_before_it_is(tmp_path, source, code):
    """192.0.2.1 is an address for documentation (RFC 5737)."""
    found = refused(verbs.check_study, study(tmp_path, fitting(), source=source))
    assert [problem.code for problem in found] == [code]


def unfetched(read):
    return [warning for warning in verbs.study_warnings(read) if warning.code == "weights-unfetched"]


def test_what_was_fetched_before_is_examined(tmp_path):
    (says,) = problems(study(tmp_path, fitting(channels=5), source="https://localhost:9/w.pth"))
    assert str(tmp_path / "weights" / "w.pth") in says


def test_run_refuses_before_it_trains(tmp_path):
    path = study(tmp_path, fitting(channels=5))
    (problem,) = refused(lambda path: verbs.run_study(verbs.load_study(path), device="cpu"), path)
    assert problem.where == "protocol"
    assert not list(tmp_path.rglob("attempts/*"))
