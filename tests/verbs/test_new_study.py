"""`init` writes a study that passes `check`, with what the images and the machine allow."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pictures import write_pictures

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.training import device
from realitycheck.verbs import new_study as module


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seventeen classes of four images: eight train and validate, so that two folds of four cannot have three."""
    folder = tmp_path_factory.mktemp("home")
    write_pictures(folder / "My Photos", classes=17, each=4)
    verbs.init_study(str(folder / "My Photos"), home=folder, protocol="quick", measure=False)
    return folder


def written(home: Path, name: str) -> dict:
    return yaml.safe_load((home / "studies" / f"{name}.yaml").read_text())


def codes(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_the_study_has_what_the_classes_can_fill(home):
    study = written(home, "my_photos")
    assert study["datasets"] == {"my_photos": {"dataset": "folder", "root": "../My Photos"}}
    assert study["override"] == {
        "search.trials": 25,
        "final.seeds": 10,
        "batches": {"pairs": {"classes": 6, "per_class": 4}, "proxies": {"classes": 6, "per_class": 4}},
    }
    assert study["protocol"] == "quick"
    read = verbs.load_study(home / "studies" / "my_photos.yaml")
    assert (read.study.protocol.search.searches, read.study.protocol.interval.method) == (2, "searches_calibrated")


def test_its_comments_have_the_facts(home):
    text = (home / "studies" / "my_photos.yaml").read_text()
    assert "17 classes, 68 images, 4 a class" in text
    assert "8 classes, 32 images. Test: 9 classes, 36 images." in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_study_that_exists_is_not_written_over(home):
    before = (home / "studies" / "my_photos.yaml").read_text()
    with pytest.raises(InputError) as refused:
        verbs.init_study(str(home / "My Photos"), home=home, protocol="quick", measure=False)
    assert codes(refused) == ["study-exists"]
    assert (home / "studies" / "my_photos.yaml").read_text() == before


def test_as_published_has_one_search_and_intervals_over_seeds(home):
    made = verbs.init_study(
        str(home / "My Photos"), home=home, name="published", protocol="quick", searches="1x50", measure=False
    )
    study = made.read.study
    assert (study.protocol.search.searches, study.protocol.search.trials, study.protocol.final.seeds) == (1, 50, 10)
    assert study.protocol.interval.method == "student_t"
    assert made.design[1] == "as published: one search of 50, ten seeds"


def test_broken_images_of_both_halves_are_named_together_and_no_line_is_of_a_file_that_is_gone(tmp_path):
    write_pictures(tmp_path / "photos", classes=8, each=3)
    for broken in ("class_00/1.png", "class_07/2.png"):
        (tmp_path / "photos" / broken).write_bytes(b"no image")
    with pytest.raises(InputError) as refused:
        verbs.init_study(str(tmp_path / "photos"), home=tmp_path, protocol="quick", measure=False)
    assert refused.value.source == str(tmp_path / "photos")
    problems = refused.value.problems
    assert [(problem.line, problem.code) for problem in problems] == [(0, "image-unreadable")] * 2
    assert all(name in str(refused.value) for name in ("class_00/1.png", "class_07/2.png"))


def test_one_image_is_no_folder_of_images(tmp_path):
    write_pictures(tmp_path / "photos", classes=4, each=2)
    with pytest.raises(InputError) as refused:
        verbs.init_study(str(tmp_path / "photos" / "class_00" / "0.png"), home=tmp_path, measure=False)
    assert codes(refused) == ["images-one"]


def test_the_head_of_the_file_says_nothing_that_a_report_would_print_as_a_fact(home):
    head = (home / "studies" / "my_photos.yaml").read_text().partition("study:")[0]
    assert "images" not in head
    assert "Cost" not in head


def test_nothing_remains_where_an_image_cannot_be_read(tmp_path):
    write_pictures(tmp_path / "photos", classes=8, each=3)
    broken = next((tmp_path / "photos").rglob("*.png"))
    broken.write_bytes(b"no image")
    with pytest.raises(InputError) as refused:
        verbs.init_study(str(tmp_path / "photos"), home=tmp_path, protocol="quick", measure=False)
    assert "image-unreadable" in codes(refused)
    assert list((tmp_path / "studies").glob("*.yaml")) == []


def test_duplicates_are_named_in_the_file(tmp_path):
    write_pictures(tmp_path / "photos", classes=8, each=3)
    first, *_, last = sorted((tmp_path / "photos").rglob("*.png"))
    last.write_bytes(first.read_bytes())
    made = verbs.init_study(str(tmp_path / "photos"), home=tmp_path, protocol="quick", measure=False)
    assert "image-in-both-halves" in [warning.code for warning in made.warnings]
    assert last.name in made.path.read_text()


def test_a_split_of_ones_own_is_used(tmp_path):
    write_pictures(tmp_path / "photos", classes=12, each=3)
    paths = sorted(path.relative_to(tmp_path) for path in (tmp_path / "photos").rglob("*.png"))
    labels = sorted({path.parent.name for path in paths})
    rows = [f"{path},{path.parent.name},{'test' if path.parent.name in labels[:4] else 'train'}" for path in paths]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,split", *rows]))
    made = verbs.init_study(str(tmp_path / "list.csv"), home=tmp_path, protocol="quick", measure=False)
    assert made.read.study.protocol.split.order == "official"
    assert "8 classes, 24 images. Test: 4 classes, 12 images." in made.facts[1]
    assert "split-unused" not in [warning.code for warning in made.warnings]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"images": "nowhere"}, "images-unknown"),
        ({"images": "cub200"}, "root-missing"),
        ({"images": "few_sketches", "searches": "3x3"}, "design-unknown"),
        ({"images": "few_sketches", "protocol": "quik"}, "protocol-unknown"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_written(tmp_path, words, code):
    with pytest.raises(InputError) as refused:
        verbs.init_study(**words, home=tmp_path)
    assert codes(refused) == [code]
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("channels", "cuda", "protocol"),
    [(1, True, "sketches28"), (3, True, "reality2026"), (3, False, "frozen_trunk")],
)
def test_the_protocol_suits_the_images_and_the_machine(monkeypatch, channels, cuda, protocol):
    class Pictures:
        pass

    Pictures.channels = channels
    monkeypatch.setattr(device, "has_cuda", lambda: cuda)
    assert module._suited(Pictures())[0] == protocol


@pytest.mark.parametrize(
    ("name", "slug"), [("My Photos", "my_photos"), ("Vögel & Co", "v_gel_co"), ("...", "images"), ("a" * 99, "a" * 64)]
)
def test_a_name_is_one_that_a_study_may_have(name, slug):
    assert module._slug(name) == slug


def test_warnings_name_the_lines_of_the_file_that_was_written(tmp_path):
    write_pictures(tmp_path / "photos", classes=8, each=3)
    (tmp_path / "photos" / "class_00" / "copy.png").write_bytes(
        (tmp_path / "photos" / "class_00" / "0.png").read_bytes()
    )
    made = verbs.init_study(str(tmp_path / "photos"), home=tmp_path, protocol="quick", measure=False)
    (warning,) = [one for one in made.warnings if one.code == "image-duplicate"]
    assert made.path.read_text().splitlines()[warning.line - 1].strip().startswith("photos:")
