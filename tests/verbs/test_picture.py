"""`picture`: a file for each kind of loss, and what is refused."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.training import plane_images
from realitycheck.verbs import draw_space


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(draw_space, "POINTS", 7)


@pytest.mark.parametrize(("loss", "name"), [("cosface", "landscape-cosface"), ("circle", "plane-circle")])
def test_a_picture_is_an_svg_document_with_its_setting(tmp_path, loss, name):
    path = verbs.picture(loss, classes=[2], knobs={}, folder=tmp_path)
    assert path == tmp_path / f"{name}.svg"
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    assert "margin" in "".join(root.itertext()) or "scale" in "".join(root.itertext())


def test_a_hyper_parameter_is_replaced(tmp_path):
    text = verbs.picture("cosface", classes=[3], knobs={"margin": 0.125}, folder=tmp_path).read_text()
    assert "margin 0.125" in text and "cosface, 3 classes" in text


@pytest.mark.parametrize(
    ("loss", "knobs", "code"),
    [
        ("cosfase", {}, "loss-unknown"),
        ("cross_batch_memory", {}, "loss-unknown"),
        ("cosface", {"point": 1.0}, "knob-unknown"),
        ("ccl", {}, "picture-without-vectors"),
    ],
)
def test_what_is_refused(tmp_path, loss, knobs, code):
    with pytest.raises(InputError) as caught:
        verbs.picture(loss, classes=[2], knobs=knobs, folder=tmp_path)
    assert [problem.code for problem in caught.value.problems] == [code]
    assert not list(tmp_path.iterdir())


def test_embeddings_of_two_losses_on_one_scale(tmp_path, monkeypatch):
    monkeypatch.setattr(plane_images, "ITERATIONS", 3)
    losses = ["warped_softmax", "triplet"]
    path = verbs.picture_embeddings(losses, knobs={"margin": 0.3}, folder=tmp_path)
    text = path.read_text()
    assert path.name == "embeddings-warped_softmax-triplet.svg"
    assert all(name in text for name in (*losses, *plane_images.SKETCHES))


def test_missing_images(tmp_path):
    with pytest.raises(InputError) as caught:
        verbs.picture_embeddings(["triplet"], knobs={}, folder=tmp_path, fashion_mnist=tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["picture-images-missing"]
