"""A home's own files come first; those that it does not have are the ones of the package."""

from __future__ import annotations

from pathlib import Path

import pytest
from homes import refused

from realitycheck.protocol.read import open_files, read_study
from realitycheck.shipped import shipped_file, shipped_home, shipped_names

ROOT = Path(__file__).parents[2]

STUDY = (ROOT / "studies" / "demo.yaml").read_text()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A home with one study, of a protocol that it does not have."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(STUDY.replace("study: demo", "study: mine"))
    return tmp_path


def test_a_protocol_and_its_ranges_are_those_of_the_package(bare):
    read = read_study(bare / "studies" / "mine.yaml")
    assert read.files.shipped == ("protocols/quick.yaml", "protocols/spaces/v3.yaml")
    assert read.files.protocol.path == bare / "protocols" / "quick.yaml"
    assert read.texts()["protocols/quick.yaml"] == (ROOT / "protocols" / "quick.yaml").read_text()


def test_a_study_has_equal_texts_and_values_where_its_files_are_shipped(tmp_path):
    (tmp_path / "studies").mkdir()
    there, here = read_study(tmp_path / "studies" / "demo.yaml"), read_study(ROOT / "studies" / "demo.yaml")
    assert (there.study, there.texts()) == (here.study, here.texts())
    assert there.path == tmp_path / "studies" / "demo.yaml"
    assert (len(there.files.shipped), here.files.shipped) == (3, ())


def test_the_own_file_of_a_name_comes_first(bare):
    (bare / "protocols").mkdir()
    own = (ROOT / "protocols" / "quick.yaml").read_text().replace("seed: 20200318", "seed: 5")
    (bare / "protocols" / "quick.yaml").write_text(own)
    read = read_study(bare / "studies" / "mine.yaml")
    assert read.study.protocol.seed == 5
    assert read.files.shipped == ("protocols/spaces/v3.yaml",)


def test_a_protocol_that_is_named_by_its_path_is_never_a_shipped_one(bare):
    path = bare / "studies" / "mine.yaml"
    path.write_text(path.read_text().replace("protocol: quick ", "protocol: ../protocols/quick.yaml "))
    assert [problem.code for problem in refused(open_study_files, path)] == ["protocol-unknown"]


def open_study_files(path: Path) -> object:
    return read_study(path)


@pytest.mark.parametrize(("wrong", "near"), [("quik", "quick"), ("frozen_trunks", "frozen_trunk")])
def test_an_unknown_name_is_compared_with_the_shipped_ones(bare, wrong, near):
    path = bare / "studies" / "mine.yaml"
    path.write_text(path.read_text().replace("protocol: quick ", f"protocol: {wrong} "))
    (problem,) = refused(read_study, path)
    assert (problem.code, problem.line) == ("protocol-unknown", 5)
    assert f"'{near}'" in problem.says


@pytest.mark.parametrize("place", ["demo.yaml", "nowhere/studies/demo.yaml", "studies/none.yaml"])
def test_a_study_that_is_in_no_home_is_not_found(tmp_path, place):
    (problem,) = refused(open_files, tmp_path / place)
    assert problem.code == "file-unreadable"


def test_a_wheel_has_the_files_inside_and_a_bare_folder_none(tmp_path):
    package = tmp_path / "site-packages" / "realitycheck"
    package.mkdir(parents=True)
    assert shipped_home(package) is None
    (package / "shipped_files").mkdir()
    assert shipped_home(package) == package / "shipped_files"


@pytest.mark.parametrize("place", ["protocols/none.yaml", "protocols/" + "x" * 300, "protocols/a\0b"])
def test_names_that_no_file_has_are_none(place):
    assert shipped_file(place) is None


def test_the_names_are_those_of_the_files():
    assert shipped_names("protocols") == sorted(path.stem for path in (ROOT / "protocols").glob("*.yaml"))
