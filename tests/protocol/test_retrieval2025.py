"""The protocol of Berton, Musgrave and Masone (2025): its numbers are those of the code's libraries, and it runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import write_pictures
from pytorch_metric_learning.samplers import MPerClassSampler

from realitycheck import verbs
from realitycheck.protocol.read import read_protocol
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, Score, of_type
from realitycheck.stores.open import open_store
from realitycheck.training.batches import MPerClassBatches
from realitycheck.training.embedding_model import build_model

PROTOCOL = read_protocol(Path(__file__).parents[2] / "protocols" / "retrieval2025.yaml").value

STUDY = """
study: small
question: Does the protocol run with a small transformer?
protocol: retrieval2025
override:
  recipe.image_size: 32
  recipe.trunk: {name: timm_class_token, model: test_vit}
  recipe.arithmetic: cpu-fp32
  embedding_dim: 64
  batches: {pairs: {classes: 3, per_class: 4, repeats: true}, proxies: {classes: 3, per_class: 4, repeats: true}}
  phases: [{name: normal, cap: 4, evaluate_every: 2, patience: 3}]
  search.trials: 2
  search.startup_trials: 1
  final.seeds: 2
  interval.runners_up: 1
datasets: {pictures: {dataset: folder, root: ../pictures}}
losses: {multi_similarity_mined: {}, cosface: {}}
baseline: multi_similarity_mined
primary: {category: aggregate, metric: map_at_r}
smallest_difference: 0.5
"""


def test_an_epoch_is_that_of_the_sampler():
    shape = PROTOCOL.batches.pairs
    labels = np.repeat(np.arange(80), 60)  # CUB-200-2011: 80 of 100 training classes
    sampler = MPerClassSampler(labels, m=shape.per_class, batch_size=shape.classes * shape.per_class)
    batches = len(sampler) // (shape.classes * shape.per_class)
    assert batches == PROTOCOL.epoch == PROTOCOL.phases[0].evaluate_every
    assert PROTOCOL.phases[0].cap == 100 * batches


def test_batches_are_as_the_samplers():
    """A batch has distinct classes; one of two images gives four with replacement, one of six four different ones."""
    sizes = (2, 6, 6, 2, 6)
    labels = np.repeat(np.arange(5), sizes)
    ours = MPerClassBatches(
        labels=labels, classes=range(5), shape={"classes": 3, "per_class": 4, "repeats": True}, seed=1
    )
    theirs = iter(MPerClassSampler(labels, m=4, batch_size=12, length_before_new_iter=12 * 2000))
    counts = []
    for batches in (lambda number: ours.draw(number)[0].tolist(), lambda _: [int(next(theirs)) for _ in range(12)]):
        drawn, kinds = Counter(), Counter()
        for number in range(2000):
            groups = np.array(batches(number)).reshape(3, 4)
            assert all(len(set(labels[group])) == 1 for group in groups)
            assert len({labels[group[0]] for group in groups}) == 3
            for group in groups:
                drawn.update(group.tolist())
                kinds[int(sizes[labels[group[0]]]), len(set(group.tolist()))] += 1
        assert set(kinds) == {(2, 1), (2, 2), (6, 4)}
        counts.append((drawn, kinds[2, 1]))
    # In 6,000 groups an image of a small class is drawn 2,400 times, of a large one 800 times; all four draws agree in
    # an eighth of 2,400 groups.
    for drawn, equal in counts:
        for image, label in enumerate(labels):
            wanted = 2400 if sizes[label] == 2 else 800
            assert drawn[image] == pytest.approx(wanted, rel=0.1)
        assert equal == pytest.approx(300, rel=0.25)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    pytest.importorskip("timm")
    home = tmp_path_factory.mktemp("retrieval")
    write_pictures(home / "pictures", classes=10, each=3)
    (home / "studies").mkdir()
    (home / "studies" / "small.yaml").write_text(STUDY)
    return home / "studies" / "small.yaml"


def test_it_runs_to_the_scores_of_one_model(study):
    result = verbs.run_study(verbs.load_study(study), executor="inline", device="cpu")
    assert not result.left and not result.alarms
    records = Ledger(study.parent / "small").records.values()
    # Two searches of two trials and two replicates of each loss, on one fold; and the untrained model under two seeds.
    assert len(of_type(records, Run)) == 2 * (2 * 2 + 2) + 2
    scored = [score.spec.models for score in of_type(records, Score) if score.spec.evaluation == "clean"]
    assert {len(models) for models in scored} == {1}  # no ensemble
    verbs.report_study(study)
    assert verbs.verify_study(study, ask=False).problems == []


def test_the_embedding_is_the_class_token(study):
    read = verbs.load_study(study)
    recipe = read.study.protocol_on("pictures").recipe
    (stores,) = verbs.prepare_data(read).values()
    store = open_store(stores.trainval)
    assert store.images.shape[1:] == (3, 32, 32)
    model = build_model(recipe=recipe, in_channels=3, dims=64, seed=0, weights=None).eval()
    images = torch.from_numpy(store.images[:2])
    with torch.inference_mode():
        tokens = model.trunk.net.forward_features(model.trunk.prepare(images.float() / 255))[:, 0]
        # timm's own interpolation of the positions has other last bits.
        torch.testing.assert_close(model(images), tokens, rtol=1e-5, atol=1e-5)
    assert sum(value.numel() for value in model.embedder.parameters()) == 0
