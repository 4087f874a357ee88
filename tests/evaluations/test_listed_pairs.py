"""Published lists of pairs: their images, what a study says of them, and a study that measures two of them."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_study import FINISHED, FINISHED_PROTOCOL, PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.datasets.pair_images import PairImages
from realitycheck.errors import InputError
from realitycheck.evaluations.menu import ACCURACY, EER
from realitycheck.evaluations.score import build_evaluation
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Score, of_type

SAME, OTHER = (11, 12)
"""Pairs of one person, and of two."""

SHORT = FINISHED_PROTOCOL.replace("sampler: gp, trials: 2", "sampler: random, trials: 1")
ONE = FINISHED.replace(", normalized_softmax: {}", "")


def write_lists(folder: Path) -> tuple[Path, Path, Path]:
    """Photos of four people; a list of 12 pairs of either kind, and a file of 11 and 12 pairs with their photos."""
    draw = np.random.default_rng(7)
    for person in ("Ann", "Bo", "Cy", "Di"):
        for number in range(1, 7):
            path = folder / "people" / person / f"{person}_{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw.integers(0, 256, (14, 12, 3), dtype=np.uint8)).save(path)
    same = [("Ann", first, second) for first in range(1, 7) for second in range(first + 1, 7)][:OTHER]
    lines = [f"{OTHER}", *(f"{name}\t{one}\t{two}" for name, one, two in same)]
    lines += [f"Bo\t{1 + number % 6}\tCy\t{1 + number // 6}" for number in range(OTHER)]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n")
    photos = sorted((folder / "people").glob("*/*.png"))
    flags = [True, False] * SAME + [False]
    packed = [photos[place % len(photos)].read_bytes() for place in range(2 * len(flags))]
    (folder / "own.bin").write_bytes(pickle.dumps((packed, flags)))
    return folder / "pairs.txt", folder / "people", folder / "own.bin"


def codes(act, *args, **kwargs) -> list[str]:
    with pytest.raises(InputError) as caught:
        act(*args, **kwargs)
    return [problem.code for problem in caught.value.problems]


def test_the_images_of_a_file(tmp_path):
    *_, packed = write_lists(tmp_path)
    images = PairImages(file=packed, images=None, channels=3)
    assert images.content == hashlib.sha256(packed.read_bytes()).hexdigest()[:16]
    assert images.labels.tolist()[:9] == [0, 0, 1, 2, 3, 3, 4, 5, 6]
    assert images.classes[:4] == ("pair 1", "pair 2a", "pair 2b", "pair 3")
    assert len(images.classes) == SAME + 2 * OTHER == images.labels[-1] + 1
    first = Image.open(tmp_path / "people" / "Ann" / "Ann_0001.png").resize((12, 14), Image.Resampling.BILINEAR)
    (pixels,) = images.images([0], size=12)
    assert (pixels == np.moveaxis(np.asarray(first), 2, 0)).all()
    (grey,) = PairImages(file=packed, images=None, channels=1).images([0], size=12)
    assert (grey[0] == np.asarray(first.convert("L"))).all()


def test_the_images_of_a_list(tmp_path):
    lines, people, _ = write_lists(tmp_path)
    images = PairImages(file=lines, images=people, channels=3)
    assert images.names_of([0, 1, 24, 25]) == [f"{name}.png" for name in _expected()]
    assert images.labels.tolist()[22:27] == [11, 11, 12, 13, 14]
    before = images.content
    Image.fromarray(np.zeros((14, 12, 3), np.uint8)).save(people / "Ann" / "Ann_0002.png")
    assert PairImages(file=lines, images=people, channels=3).content != before


def _expected() -> tuple[str, ...]:
    return "Ann/Ann_0001", "Ann/Ann_0002", "Bo/Bo_0001", "Cy/Cy_0001"


def test_a_list_that_cannot_be_used(tmp_path):
    lines, people, packed = write_lists(tmp_path)
    (people / "Cy" / "Cy_0001.png").unlink()
    assert codes(PairImages, file=lines, images=people, channels=3) == ["pairs-image-missing"]
    assert codes(PairImages, file=lines, images=tmp_path / "none", channels=3) == ["root-missing"]
    packed.write_bytes(pickle.dumps(([b"a", b"b"] * 10, [True] * 10)))
    assert codes(PairImages, file=packed, images=None, channels=3) == ["pairs-few"]
    packed.write_bytes(pickle.dumps(([b"a", b"b"] * 20, [True, False] * 10)))
    broken = PairImages(file=packed, images=None, channels=3)
    assert codes(list, broken.images([0, 1], size=8)) == ["image-unreadable"] * 2


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_folds_are_tenths_of_the_list(distance):
    """Of ten folds of two pairs, the last has its flags swapped: the threshold of the others is wrong for both."""
    labels = torch.tensor(
        [number for pair in range(20) for number in ([3 * pair] * 2, [3 * pair, 3 * pair + 1])[pair % 2]]
    )
    near, far = torch.tensor([[1.0, 0.0], [1.0, 0.1]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    pairs = [(near, far)[pair % 2 if pair < 18 else 1 - pair % 2] for pair in range(20)]
    values = build_evaluation("listed_pairs:own-0123456789abcdef").measured(torch.cat(pairs), labels, distance=distance)
    assert values[ACCURACY] == pytest.approx(0.9)
    assert values[EER] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("evaluations", "lists", "code"),
    [
        ("listed_pairs:own-0123456789abcdef", "", "pair-list-unknown"),
        ("listed_pairs:own-0123", "pair_lists: {own: {file: ../own.bin}}", "evaluation-unknown"),
        ("calibration:5-1", "pair_lists: {own: {file: ../own.bin}}", "pair-list-unused"),
        ("listed_pairs:own-0123456789abcdef", "pair_lists: {own: {file: ../own.bin}}", "pairs-digest"),
        ("listed_pairs:own-0123456789abcdef", "pair_lists: {own: {file: ../no.bin}}", "list-missing"),
    ],
)
def test_what_a_study_says_wrongly(tmp_path, evaluations, lists, code):
    write_lists(tmp_path)
    text = PROTOCOL + f'evaluations: ["{evaluations}"]\n'
    study = write_study(tmp_path, protocol=text, study=FINISHED + f"\n{lists}\n")
    assert code in codes(verbs.check_study, study)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    home = tmp_path_factory.mktemp("listed")
    lines, people, packed = write_lists(home)
    contents = [
        PairImages(file=file, images=folder, channels=3).content for file, folder in ((lines, people), (packed, None))
    ]
    named = [f"listed_pairs:{name}-{content}" for name, content in zip(("lfw", "own"), contents, strict=True)]
    files = "pair_lists: {lfw: {file: ../pairs.txt, images: ../people}, own: {file: ../own.bin}}"
    text = SHORT + f"evaluations: {json.dumps(named)}\n"
    study = write_study(home, protocol=text, study=f"{ONE}\n{files}\n")
    result = verbs.run_study(verbs.load_study(study), executor="inline", device="cpu")
    assert not result.left
    return study, named


def test_every_model_has_a_record_of_every_list(walked):
    study, named = walked
    scores = of_type(Ledger(study.parent / "small").records.values(), Score)
    for evaluation, same, other in zip(named, (OTHER, SAME), (OTHER, OTHER), strict=True):
        own = [score for score in scores if score.spec.evaluation == evaluation]
        assert len(own) == sum(score.spec.evaluation == "clean" for score in scores) > 0
        assert {(score.queries, score.singletons) for score in own} == {(2 * same, 2 * other)}
        assert {score.models[0]["cosine"].per_class for score in own} == {()}


def test_the_page_of_listed_pairs_and_its_verification(walked):
    study, named = walked
    verbs.report_study(study)
    facts = json.loads((study.parent.parent / "reports" / "small" / "tables.json").read_text())["datasets"][0]
    every = facts["verification"]["evaluations"]
    assert [(one["evaluation"], one["pairs"], one["seed"]) for one in every] == [(name, OTHER, None) for name in named]
    assert [row["label"] for row in every[0]["rows"]] == ["contrastive", "untrained embedder"]
    assert not verbs.verify_study(study).problems
