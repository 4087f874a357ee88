"""Images that changed are named before anything is spent, and no report mixes them up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_study import PROTOCOL, write_study
from stand_in_run import carry_out

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.verbs.report import study_evidence


def run(study: Path) -> list:
    """What a run with stand-ins says."""
    said = []
    carry_out(study, say=said.append)
    return said


def checked(study: Path) -> list:
    said = []
    verbs.check_study(study, say=said.append)
    return said


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    study = write_study(tmp_path_factory.mktemp("done"))
    assert run(study) == []
    return study.parent.parent


@pytest.fixture
def study(done, tmp_path) -> Path:
    shutil.copytree(done, tmp_path / "home")
    return tmp_path / "home" / "studies" / "small.yaml"


def picture(study: Path, class_name: str, number: int) -> Path:
    return sorted((study.parent.parent / "pictures" / class_name).iterdir())[number]


def change(study: Path) -> None:
    shutil.copy(picture(study, "class_02", 1), picture(study, "class_02", 0))


def remove(study: Path) -> None:
    picture(study, "class_03", 0).unlink()


def add_to_test(study: Path) -> None:
    file = picture(study, "class_16", 0)
    shutil.copy(file, file.with_name(f"zz{file.suffix}"))


def relabel(study: Path) -> None:
    """One picture under another class: its name below the root changes with it."""
    file = picture(study, "class_01", 0)
    file.rename(file.parent.parent / "class_02" / f"other{file.suffix}")


def rename(study: Path) -> None:
    folder = study.parent.parent / "pictures"
    (folder / "class_00").rename(folder / "class_99")


CHANGES = {
    "changed": (change, "1 image changed"),
    "removed": (remove, "1 image removed"),
    "added": (add_to_test, "1 image added"),
    "relabelled": (relabel, "1 image under another name or class"),
    "renamed": (rename, "images under another name or class"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_check_and_run_name_what_changed(name, study):
    harm, part = CHANGES[name]
    harm(study)
    (warning,) = checked(study)
    assert warning.code == "data-changed"
    assert part in warning.says
    (again,) = run(study)
    assert (again.code, again.says) == (warning.code, warning.says)
    assert run(study) == [], "said once: the second run is on the same images"


def test_report_refuses_and_status_says_so_before_the_new_run(study):
    change(study)
    assert verbs.study_status(study).problems == []
    checked(study)
    assert [problem.code for problem in verbs.study_status(study).problems] == ["data-unlike-records"]
    assert {standing.done for standing in verbs.study_standings(study)} == {0}
    with pytest.raises(InputError) as caught:
        verbs.report_study(study)
    assert [problem.code for problem in caught.value.problems] == ["data-unlike-records"]


def test_status_is_of_the_images_that_are_present(study):
    before, original = verbs.study_standings(study), picture(study, "class_02", 0).read_bytes()
    change(study)
    run(study)
    after = verbs.study_standings(study)
    assert all(standing.done == standing.planned for standing in after)
    assert [standing.best for standing in after] != [standing.best for standing in before]
    picture(study, "class_02", 0).write_bytes(original)
    assert [problem.code for problem in run(study)] == ["data-changed"]
    assert verbs.study_standings(study) == before


def test_a_change_of_the_test_half_keeps_the_searches(study):
    add_to_test(study)
    before = len(Ledger(study.parent / "small").records)
    (said,) = run(study)
    assert "Only the test half" in said.says
    read = read_study(study)
    ledger = Ledger(study.parent / "small")
    (evidence,) = study_evidence(read, ledger)
    assert len(evidence.openings) == 1
    assert not any(record.kind == "proposal" for record in list(ledger.records.values())[before:])


def test_several_versions_without_a_word_on_which_is_present_are_refused(study):
    change(study)
    run(study)
    shutil.rmtree(study.parent / "small" / "cache")
    shutil.rmtree(study.parent / "small" / "manifests")
    read = read_study(study)
    with pytest.raises(InputError) as caught:
        from_records(read.study, "pictures", Ledger(study.parent / "small").records)
    assert [problem.code for problem in caught.value.problems] == ["data-ambiguous"]


def test_the_manifest_outlives_the_cache(study):
    shutil.rmtree(study.parent / "small" / "cache")
    change(study)
    assert [problem.code for problem in checked(study)] == ["data-changed"]


def test_without_a_manifest_the_ledger_says_that_images_changed(study):
    shutil.rmtree(study.parent / "small" / "manifests")
    assert checked(study) == []
    change(study)
    assert [problem.code for problem in checked(study)] == ["data-changed"]


def test_a_damaged_manifest_is_set_aside(study):
    path = study.parent / "small" / "manifests" / "pictures.json.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)
    assert [problem.code for problem in run(study)] == ["manifest-damaged"]
    assert run(study) == []
    assert len(list(path.parent.glob("*damaged*"))) == 1


def test_another_split_is_named(study):
    protocol = PROTOCOL.replace("split: {order: sorted, seed: 0}", "split: {order: shuffled, seed: 3}")
    (study.parent.parent / "protocols" / "tiny.yaml").write_text(protocol)
    (warning,) = checked(study)
    assert "moved to the other half" in warning.says
