"""Stores of the same images are linked between studies, survive each other, and damage is not linked again."""

from __future__ import annotations

from test_stores import Pictures, protocol

from realitycheck.stores import borrow as borrowing
from realitycheck.stores.decode_parts import KeptImages
from realitycheck.stores.integrity import damage, set_store_aside
from realitycheck.stores.open import open_store
from realitycheck.stores.prepare import Stores, prepare


def ready(folder, *others, dataset=None) -> tuple[Stores, list[int]]:
    """The stores of a study, and which images were decoded for them."""
    dataset = dataset or Pictures()
    rule = protocol()
    split, sizes = rule.split, {"kept": KeptImages(8, "middle")}
    stores = prepare(dataset, folder, split=split, **sizes, watch=lambda *_: None, others=others)
    return stores, dataset.asked


def test_a_second_study_decodes_nothing_and_adds_no_bytes(tmp_path):
    first, _ = ready(tmp_path / "a")
    second, asked = ready(tmp_path / "b", tmp_path / "a", tmp_path / "missing")
    assert not asked and second.trainval_digest == first.trainval_digest
    assert not first.notices and [(one.code, one.where) for one in second.notices] == [("stores-shared", "b")]
    again, _ = ready(tmp_path / "b", tmp_path / "a")
    assert not again.notices
    for half in (second.trainval, second.test):
        mine, other = half.with_suffix(".npy"), tmp_path / "a" / half.parent.name / f"{half.name}.npy"
        assert mine.samefile(other)
    for file in first.trainval.parent.iterdir():
        file.unlink()
    assert len(open_store(second.trainval).labels) == 12  # it outlives the other study


def test_features_beside_the_pixels_are_linked_when_they_are_finished(tmp_path):
    first, _ = ready(tmp_path / "a")
    for name in ("trainval-0123.npy", "trainval-0123.json", "test-0123.npy"):  # the last one has no JSON file so far
        (first.trainval.parent / name).write_text(name)
    second, _ = ready(tmp_path / "b", tmp_path / "a")
    assert sorted(path.name for path in second.trainval.parent.glob("*0123*")) == [
        "trainval-0123.json",
        "trainval-0123.npy",
    ]


def test_a_damaged_store_is_not_linked_again(tmp_path):
    first, _ = ready(tmp_path / "a")
    second, _ = ready(tmp_path / "b", tmp_path / "a")
    whole = second.trainval_digest
    numbers = first.trainval.with_suffix(".npy")
    numbers.write_bytes(numbers.read_bytes()[:-1] + b"\xff")  # of both: it is one file
    harm = damage(second.trainval, watch=lambda *_: None)
    assert harm is not None and set_store_aside(harm) is not None
    again, asked = ready(tmp_path / "b", tmp_path / "a")
    assert sorted(asked) == list(range(12)) and again.trainval_digest == whole
    assert damage(again.trainval, watch=lambda *_: None) is None


def test_an_unfinished_link_is_finished_and_another_file_is_kept(tmp_path):
    first, _ = ready(tmp_path / "a")
    folder, other = tmp_path / "b" / first.trainval.parent.name, first.trainval.parent
    folder.mkdir(parents=True)
    (folder / "trainval.npy").hardlink_to(other / "trainval.npy")
    (folder / "test.npy").write_text("of a store that is being made here")
    assert borrowing.borrow(folder, [other]) == [folder / "trainval"]
    assert (folder / "test.npy").read_text() == "of a store that is being made here"


def test_without_hard_links_images_are_decoded(tmp_path, monkeypatch):
    def refuse(path, file):
        raise OSError("no links here")

    first, _ = ready(tmp_path / "a")
    monkeypatch.setattr(borrowing, "link_same", refuse)
    second, asked = ready(tmp_path / "b", tmp_path / "a")
    assert sorted(asked) == list(range(24)) and second.trainval_digest == first.trainval_digest


def test_stores_of_other_images_are_left_alone(tmp_path, monkeypatch):
    ready(tmp_path / "a")
    monkeypatch.setattr(Pictures, "fingerprint", "other pictures")
    _, asked = ready(tmp_path / "b", tmp_path / "a")
    assert sorted(asked) == list(range(24))
