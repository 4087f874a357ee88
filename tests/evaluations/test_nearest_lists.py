"""The neighbours of a real model, against a naive loop over its embeddings."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.evaluations.nearest_lists import list_neighbors
from realitycheck.evaluations.score import embedded
from realitycheck.executors.base import Steps, unheard
from realitycheck.records.from_json import read_record
from realitycheck.records.nearest_images import neighbors_spec
from realitycheck.runs import CLEAN, ScoringPlace, TrainingPlace
from realitycheck.stores.manifest import half_of_store
from realitycheck.training import single_run
from realitycheck.verbs.study import plans_of


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_names_classes_and_ranks_are_those_of_a_naive_loop(tmp_path, distance):
    read = verbs.load_study(write_study(tmp_path))
    stores = verbs.prepare_data(read)
    (plan,), (pair,) = plans_of(read, stores), stores.values()
    place = TrainingPlace(str(pair.trainval), str(tmp_path), "cpu", None)
    specs = [plan.constant_run, plan.untrained.searches[0].replicate_runs(index=0, knobs={})[1]]
    runs = [
        read_record(single_run.run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body)
        for spec in specs
    ]
    scoring = ScoringPlace(str(pair.trainval), str(pair.test), str(tmp_path), "cpu")
    spec = neighbors_spec(plan.test, [run.id for run in runs], distance, plan.queries)
    weights = {run.id: run.weights for run in runs}
    payload = {"spec": spec.to_json(), "place": asdict(scoring), "weights": weights}
    body = list_neighbors(payload, tell=unheard)
    assert read_record(body).to_json() == body and body == list_neighbors(payload, tell=unheard)

    members, test = embedded(spec.models, CLEAN, scoring, test=plan.test, weights=weights, steps=Steps(unheard, 1))
    parts = [member.embeddings.double().numpy() for member in members]
    scaled = [part / member.scale for part, member in zip(parts, members, strict=True)]
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    points = np.concatenate(unit if distance == "cosine" else scaled, axis=1)
    half = half_of_store(pair.test)
    for query, images, first in zip(plan.queries, body["nearest"], body["first_right"], strict=True):
        number = query.image
        far = ((points - points[number]) ** 2).sum(axis=1)
        order = [item for item in np.argsort(far, kind="stable") if item != number]
        assert [image["image"] for image in images] == order[:5]
        right = [rank for rank, item in enumerate(order, 1) if test.labels[item] == test.labels[number]]
        assert first == right[0]
        assert (query.name, query.size) == (half.names[number], 4)
        for image in images:
            label = half.labels[image["image"]]
            assert image["class"] == half.classes[label] == image["name"].split("/")[-2]
            assert half.files[image["image"]] == image["file"]
