"""Embeddings of a user's own images by an exported model, and never of a test half that is closed."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from small_study import FINISHED, FINISHED_PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.stores.open import open_store
from realitycheck.training.exported import load_model


@pytest.fixture(scope="module")
def study(finished, tmp_path_factory):
    home = tmp_path_factory.mktemp("embedded") / "home"
    shutil.copytree(finished.parents[1], home)
    return home / "studies" / finished.name


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A study whose searches are done, with its test half closed."""
    path = write_study(tmp_path_factory.mktemp("searched"), protocol=FINISHED_PROTOCOL, study=FINISHED)
    threads = torch.get_num_threads()
    verbs.run_study(verbs.load_study(path), executor="inline", device="cpu", until="search")
    torch.set_num_threads(threads)
    return path


def codes(caught):
    return [problem.code for problem in caught.value.problems]


def test_embeddings_are_those_of_the_model_and_the_stored_pixels(study, tmp_path):
    pictures = study.parents[1] / "pictures"
    _, model, target = verbs.export_study(study, best=tmp_path / "best", loss="contrastive", embed=pictures)
    assert target.name == "contrastive_complete_embeddings.npz"
    known = np.load(target)
    assert known["names"].tolist() == sorted(str(path.relative_to(pictures)) for path in pictures.rglob("*.png"))
    (stores,) = verbs.prepare_data(verbs.load_study(study)).values()
    store = open_store(stores.trainval)  # its classes are the first, in the same order
    with torch.inference_mode():
        wanted = load_model(model)(torch.from_numpy(store.images)).numpy()
    np.testing.assert_allclose(known["embeddings"][: len(wanted)], wanted, rtol=1e-5, atol=1e-6)


def test_images_of_a_closed_test_half_are_refused_and_others_are_not(searched, tmp_path):
    pictures = searched.parents[1] / "pictures"
    with pytest.raises(InputError) as caught:
        verbs.export_study(searched, best=tmp_path / "best", embed=pictures)
    assert codes(caught) == ["embed-closed"]
    assert not (tmp_path / "best").exists()  # nothing is written before the images are looked at
    own = tmp_path / "own"
    (own / "deep").mkdir(parents=True)
    shutil.copy(next((pictures / "class_00").glob("*.png")), own / "deep" / "mine.PNG")  # of trainval
    last = sorted(path.name for path in pictures.iterdir())[-1]
    *_, target = verbs.export_study(searched, best=tmp_path / "best", embed=own)
    assert np.load(target)["names"].tolist() == ["deep/mine.PNG"]
    shutil.copy(next((pictures / last).glob("*.png")), own / "renamed.png")  # of the test half, under another name
    with pytest.raises(InputError) as caught:
        verbs.export_study(searched, best=tmp_path / "best", embed=own)
    assert codes(caught) == ["embed-closed"]
    assert "renamed.png" in str(caught.value)


def test_wrong_folders_are_named(study, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"no image")
    for folder, code in (("empty", "embed-empty"), ("broken", "image-unreadable")):
        with pytest.raises(InputError) as caught:
            verbs.export_study(study, best=tmp_path / "best", embed=tmp_path / folder)
        assert codes(caught) == [code]
    with pytest.raises(InputError) as caught:
        verbs.export_study(study, optuna=tmp_path / "x.db", embed=tmp_path / "empty")
    assert codes(caught) == ["embed-without-model"]
