from __future__ import annotations

import hashlib
from dataclasses import replace

from realitycheck.plan.seeds import derive, run_seed
from realitycheck.runs import RunSpec, Stage


def spec(**changes) -> RunSpec:
    base = RunSpec(
        results_version=1,
        data="d",
        dataset="sketches",
        stage=Stage.SEARCH,
        index=0,
        search=0,
        fold=0,
        folds={},
        loss={"label": "triplet", "address": "triplet", "distance": "cosine"},
        knobs={},
        recipe={},
        batch={},
        dims=8,
        phases=(),
        root=1,
        sources={},
    )
    return replace(base, **changes)


def test_derive_is_the_hash_of_its_names():
    text = b'[7,"a",3,null]'
    expected = int(hashlib.sha256(text).hexdigest()[:16], 16) // 2
    assert derive(7, "a", 3, None) == expected


def test_losses_share_every_stream_but_their_own():
    triplet = spec()
    other = spec(loss={"label": "contrastive", "address": "contrastive", "distance": "cosine"})
    for stream in ("init", "order", "augment"):
        assert run_seed(triplet, stream) == run_seed(other, stream)
    assert run_seed(triplet, "loss") != run_seed(other, "loss")


def test_folds_stages_and_indices_differ():
    seeds = {
        run_seed(spec(stage=stage, index=index, fold=fold), stream)
        for stage in Stage
        for index in range(5)
        for fold in (0, 1, None)
        for stream in ("init", "order", "augment", "loss")
    }
    assert len(seeds) == 2 * 5 * 3 * 4


def test_knobs_do_not_move_a_seed():
    assert run_seed(spec(knobs={"margin": 0.1}), "init") == run_seed(spec(knobs={"margin": 0.2}), "init")
