"""Damaged bytes of a store are found, set aside under a name, and made again; never used."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from small_study import FROZEN, write_study

from realitycheck import verbs
from realitycheck.errors import RunError
from realitycheck.executors.base import Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.protocol.read import read_study
from realitycheck.stores.cache import read_meta
from realitycheck.stores.decode_parts import Decoding, KeptImages
from realitycheck.stores.feature_parts import features_path
from realitycheck.stores.integrity import damage, set_store_aside, visible_damage
from realitycheck.verbs.ready import StoreCheck, is_score_ready, ready_stores


def quiet(*_: object) -> None:
    """No progress."""


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x80
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(3))


HARMS = {
    "a pixel": ("trainval.npy", lambda path: flip(path, 5000), False),
    "a pixel of the test half": ("test.npy", lambda path: flip(path, 5000), False),
    "the header": ("trainval.npy", lambda path: flip(path, 20), False),
    "a label": ("trainval.json", lambda path: path.write_bytes(path.read_bytes().replace(b"[0, 0,", b"[0, 1,")), True),
    "a class name": (
        "test.json",
        lambda path: path.write_bytes(path.read_bytes().replace(b"s_1", b"s_2")),
        True,
    ),
    "the index": ("trainval.json", cut, True),
    "no index": ("trainval.json", lambda path: path.write_bytes(b""), True),
    "cut pixels": ("trainval.npy", cut, True),
    "more pixels": ("trainval.npy", lengthen, True),
    "no pixels": ("test.npy", lambda path: path.unlink(), True),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    study = write_study(tmp_path_factory.mktemp("sound"))
    verbs.prepare_data(read_study(study))
    return study.parent.parent


@pytest.mark.parametrize("harm", HARMS)
def test_every_damage_is_found_and_made_good(harm, sound, tmp_path):
    shutil.copytree(sound, tmp_path / "home")
    read = read_study(tmp_path / "home" / "studies" / "small.yaml")
    (pair,) = verbs.prepare_data(read).values()
    kept = {path.name: path.read_bytes() for path in pair.trainval.parent.iterdir()}
    name, spoil, visible = HARMS[harm]
    path = pair.trainval.parent / name
    spoil(path)
    assert (visible_damage(path.with_suffix("")) is not None) == visible
    said = []
    check = StoreCheck(read, quiet, said.append)
    assert check.pixels()["pictures"].trainval_digest == pair.trainval_digest
    assert [problem.code for problem in said] == ["store-damaged"]
    now = {path.name: path.read_bytes() for path in pair.trainval.parent.iterdir()}
    assert kept == {name: content for name, content in now.items() if "damaged" not in name}
    assert any("damaged" in name for name in now)


def test_an_index_of_other_labels_is_never_read(sound):
    (pair,) = verbs.prepare_data(read_study(sound / "studies" / "small.yaml")).values()
    facts = pair.trainval.with_suffix(".json")
    content = facts.read_bytes()
    try:
        facts.write_bytes(content.replace(b"[0, 0,", b"[0, 1,"))
        with pytest.raises(RunError):
            read_meta(pair.trainval)
    finally:
        facts.write_bytes(content)


def test_a_store_that_another_process_has_made_again_stays(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "home")
    (pair,) = verbs.prepare_data(read_study(tmp_path / "home" / "studies" / "small.yaml")).values()
    numbers = pair.trainval.with_suffix(".npy")
    content = numbers.read_bytes()
    flip(numbers, 5000)
    found = damage(pair.trainval, watch=quiet)
    assert found is not None
    for path in (numbers, numbers.with_suffix(".json")):  # as another coordinator would
        whole = content if path == numbers else path.read_bytes()
        path.unlink()
        path.write_bytes(whole)
    assert set_store_aside(found) is None
    assert damage(pair.trainval, watch=quiet) is None


def test_damage_before_the_scores_stops_them(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "home")
    said = []
    check = StoreCheck(read_study(tmp_path / "home" / "studies" / "small.yaml"), quiet, said.append)
    stores = check.pixels()
    run, score = (Job(kind, kind, "pictures/contrastive", kind, {}) for kind in ("run", "score"))
    flip(stores["pictures"].test.with_suffix(".npy"), 5000)
    assert is_score_ready(check, stores, run)
    assert not is_score_ready(check, stores, score)
    assert is_score_ready(check, check.pixels(), score)
    assert [problem.code for problem in said] == ["store-damaged"]


def test_a_damaged_part_is_decoded_again(sound):
    class Numbers:
        channels = 1

        def images(self, indices, *, size):
            return (np.full((1, 4, 4), index, dtype=np.uint8) for index in indices)

    decoding = Decoding(Numbers(), [3, 5], KeptImages(4, "middle"), folder=sound / "numbers.parts")
    decoding.decode(watch=quiet)
    (part,) = decoding.folder.iterdir()
    flip(part, part.read_bytes().index(bytes([3] * 8)))
    decoding.decode(watch=quiet)
    assert [sorted(set(pixels.tolist())) for pixels in decoding.pixels()] == [[3, 5]]


@pytest.mark.parametrize("suffix", [".npy", ".json"])
def test_damaged_features_are_computed_again(suffix, tmp_path):
    read = read_study(write_study(tmp_path, protocol=FROZEN))
    said = []
    for turn in range(2):
        check, executor = StoreCheck(read, quiet, said.append), InlineExecutor(device=None)
        stores = ready_stores(check, executor, device="cpu", remember=False)["pictures"]
        content = stores.trainval.with_suffix(suffix).read_bytes()
        if turn == 0:
            kept = content
            flip(stores.trainval.with_suffix(suffix), 200)
    assert content == kept
    assert [problem.code for problem in said] == ["store-damaged"]
    recipe = read.study.protocol_on("pictures").recipe
    (pixels,) = verbs.prepare_data(read).values()
    assert stores.trainval == features_path(pixels.trainval, recipe)
