"""`doctor` finds files that are not those that a study was begun with."""

from __future__ import annotations

import json

import pytest
import torch
from small_study import PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.arithmetic import cpu_model, obstacle
from realitycheck.executors.base import unheard
from realitycheck.training import canary
from realitycheck.training.canary import REFERENCES


def test_changed_missing_and_new_files_are_named(tmp_path):
    read = verbs.load_study(write_study(tmp_path))
    assert verbs.examine(read) == []  # nothing to compare with yet
    verbs.prepare_data(read)
    calls = []
    assert verbs.examine(read, watch=lambda title, done, count: calls.append((title, done, count))) == []
    assert calls == [("files of pictures", 0, 68)]

    pictures = tmp_path / "pictures"
    (pictures / "class_03" / "1.png").write_bytes((pictures / "class_04" / "1.png").read_bytes())
    (pictures / "class_05" / "2.png").unlink()
    (pictures / "class_06" / "9.png").write_bytes((pictures / "class_06" / "0.png").read_bytes())
    problems = verbs.examine(read)
    assert [problem.code for problem in problems] == ["files-changed"] * 3
    gone, changed, new = (problem.says for problem in problems)
    assert "gone" in gone and "class_05/2.png" in gone
    assert "changed" in changed and "class_03/1.png" in changed
    assert "new" in new and "class_06/9.png" in new


def test_unread_files_and_duplicates_are_warned_of_once_images_are_read(tmp_path):
    """`class_00` is in trainval, `class_16` in the test half."""
    study = write_study(tmp_path)
    pictures = tmp_path / "pictures"
    (pictures / "class_16" / "copy.png").write_bytes((pictures / "class_00" / "0.png").read_bytes())
    (pictures / "class_01" / "phone.heic").write_bytes(b"x")
    assert [one.code for one in verbs.study_warnings(verbs.load_study(study))] == ["verdicts-impossible"]
    for read in (verbs.check_study(study), verbs.check_study(study)):  # with new stores, and with finished ones
        warnings = verbs.study_warnings(read)
        assert [warning.code for warning in warnings] == ["verdicts-impossible", "files-unread", "image-in-both-halves"]
        assert {(warning.line, warning.where) for warning in warnings[1:]} == {(5, "datasets.pictures")}


def test_the_machine_is_described(tmp_path):
    facts = dict(verbs.machine_facts(verbs.load_study(write_study(tmp_path))))
    assert "torch" in facts["Packages"] and "GB" in facts["Free disk"]


def test_a_split_that_the_protocol_does_not_use_is_warned_of(tmp_path):
    study = write_study(tmp_path)
    rows = [
        f"class_{label:02}/{number}.png,{label},{'test' if label % 2 else 'train'}"
        for label in range(17)
        for number in range(4)
    ]
    (tmp_path / "pictures" / "split.csv").write_text("\n".join(["path,label,split", *rows]))
    study.write_text(
        study.read_text().replace("{dataset: folder, root: ../pictures}", "{dataset: csv, root: ../pictures/split.csv}")
    )
    _, warning = verbs.study_warnings(verbs.load_study(study))
    assert (warning.line, warning.where, warning.code) == (5, "datasets.pictures", "split-unused")
    protocol = tmp_path / "protocols" / "tiny.yaml"
    protocol.write_text(protocol.read_text().replace("order: sorted", "order: official"))
    read = verbs.load_study(study)
    assert [one.code for one in verbs.study_warnings(read)] == ["verdicts-impossible"]
    (stores,) = verbs.prepare_data(read).values()
    assert [name for name, _ in stores.test_sizes] == ["1", "3", "5", "7", "9", "11", "13", "15"]


def of_class(folder, name):
    return verbs.load_study(
        write_study(folder, protocol=PROTOCOL.replace("arithmetic: cpu-fp32", f"arithmetic: {name}"))
    )


@pytest.mark.skipif(bool(obstacle("x86-avx2")), reason=f"x86-avx2: {obstacle('x86-avx2')}")
def test_the_bits_of_x86_avx2_are_those_of_the_reference(tmp_path):
    """On every machine of a model with a reference, under the locked version of torch."""
    key = f"torch {torch.__version__.partition('+')[0]}, {cpu_model()}"
    known = key in json.loads(REFERENCES.read_text())["x86-avx2"]
    assert verbs.arithmetic_fact(of_class(tmp_path, "x86-avx2")).startswith(
        f"x86-avx2: same numbers as the reference for {key}" if known else "x86-avx2: no reference for torch"
    )


def test_a_class_without_a_reference_and_one_that_is_not_possible(tmp_path):
    assert verbs.arithmetic_fact(of_class(tmp_path, "cpu-fp32")).startswith("cpu-fp32: no reference for torch")
    foreign = "arm64" if obstacle("arm64") else "x86-avx2"
    assert "not possible" in verbs.arithmetic_fact(of_class(tmp_path, foreign))


def test_one_bit_is_another_answer(tmp_path, monkeypatch):
    """The digest covers the numbers of training: one weight that starts one bit away changes it."""
    drawn, device, references = canary._drawn, torch.device("cpu"), tmp_path / "known.json"
    payload = {"arithmetic": "cpu-fp32", "device": "cpu"}
    first = canary.compute(payload, tell=unheard)["digest"]  # with one thread, whatever this process had
    references.write_text(json.dumps({"cpu-fp32": {canary.reference_key(device): first}}))
    monkeypatch.setattr(canary, "REFERENCES", references)
    assert canary.compute(payload, tell=unheard)["answer"] == "same"

    def moved(step, shape):
        numbers = drawn(step, shape)
        if step == 0:
            numbers.view(torch.int32).view(-1)[0] += 1
        return numbers

    monkeypatch.setattr(canary, "_drawn", moved)
    assert canary.compute(payload, tell=unheard)["answer"] == "differs"
