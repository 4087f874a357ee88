"""Whole studies without training: runs and scores are drawn from their ids, and hold together as real ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from small_study import PROTOCOL, STUDY, write_study
from standins import chance, chance_digest, head

from realitycheck import verbs
from realitycheck.evaluations.menu import ACCURACY, COMMON, EER, OWN, PLACES, ROC, SPREAD
from realitycheck.executors.base import Tell
from realitycheck.executors.inline import InlineExecutor
from realitycheck.runs import RunSpec, ScoreSpec

CLASSES = 9
"""Test classes of the pictures of a small study."""


SEARCH = "search: {sampler: random, trials: 3, startup_trials: 2, round: 1, space: v1, shared: {}}"
INTERVAL = "interval: {method: student_t, level: 0.95}"
LOSSES = "triplet: {}, normalized_softmax: {}"


def _search(**changes: str) -> dict[str, str]:
    keys = {"sampler": "random", "trials": "3", "startup_trials": "2", "round": "1", "space": "v1", "shared": "{}"}
    text = ", ".join(f"{key}: {value}" for key, value in {**keys, **changes}.items())
    return {SEARCH: f"search: {{{text}}}"}


def _interval(rest: str, *, seeds: int) -> dict[str, str]:
    return {INTERVAL: f"interval: {{{rest}}}", "seeds: 2,": f"seeds: {seeds},"}


APPENDIX_D = {"complete: per_replicate": "complete: appendix_d"}
PHASES = {
    "evaluate_every: 10, patience: 2}]": "evaluate_every: 10, patience: 2}, "
    "{name: followup, cap: 20, evaluate_every: 10, patience: 1}]"
}
SCALES = "{followup_embedder_lr_scale: 1.0, followup_trunk_lr_scale: {log_uniform: [0.01, 1]}}"
FURTHER_SCORES = {
    "categories: [aggregate, ensemble, complete]": "categories: [aggregate, ensemble, complete]\n"
    "scores: {recall_at: [2, 4], nmi: true}"
}
FROZEN = {
    "{name: convnet, channels: 4}": "{name: convnet, channels: 4, frozen: true}",
    "batch_norm: train": "batch_norm: frozen",
    "shift: 2": "shift: 0",
    "embedder: {name: adam, lr: 1e-3,": "embedder: {name: adam, lr: null,",
    "categories: [aggregate, ensemble, complete]": "categories: [complete]",
}
EVALUATIONS = {
    "categories: [aggregate, ensemble, complete]": "categories: [aggregate, complete]\nscores: {nmi: true}\n"
    "evaluations: [corrupted:gaussian-1, corrupted:salt_pepper-2, corrupted:gaussian-3, verification:50-0, "
    "calibration:5-1]"
}
SMALLEST, GRID = "smallest_difference: 0.5", "{linear: [0.0, 1.0], points: 3}"
SWEPT = "normalized_softmax: {temperature: {log: [0.01, 1.0], points: 3}}"
ONE_DATASET = "datasets: {pictures: {dataset: folder, root: ../pictures}}"
ANOTHER = "again: {dataset: folder, root: ../pictures}"

DEFAULT_ROWS = (
    {**_search(searches="2", trials="2", first="published"), "seeds: 2,": "seeds: 4,"},
    {LOSSES: "normalized_softmax: {}", "baseline: contrastive": "baseline: contrastive\ndefault_rows: true"},
)

DESIGNS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "calibrated": (
        {
            **_search(searches="2", trials="3"),
            **_interval("method: searches_calibrated, level: 0.95, runners_up: 2", seeds=4),
        },
        {LOSSES: "normalized_softmax: {}"},
    ),
    "pooled, names of one function": (
        {**_search(searches="2"), **_interval("method: searches_pooled, level: 0.9", seeds=4)},
        {
            LOSSES: "triplet: {}, t2: {loss: triplet}, t3: {loss: triplet}, normalized_softmax: {}",
            "baseline: contrastive": "baseline: contrastive\nsame: [triplet, t2, t3]",
        },
    ),
    "runners-up, all pairs": (
        {
            **_search(trials="8", startup_trials="3"),
            **_interval("method: runners_up, level: 0.95, runners_up: 4", seeds=5),
        },
        {
            LOSSES: "triplet: {}, t2: {loss: triplet}, normalized_softmax: {}",
            "baseline: contrastive": "baseline: triplet\ncompare: all_pairs",
        },
    ),
    "the chosen trial as a run": (
        {
            **_search(trials="8", startup_trials="3"),
            **_interval("method: pooled_winner, level: 0.95, runners_up: 4", seeds=4),
        },
        {
            "category: complete": "category: ensemble",
            "baseline: contrastive": "baseline: triplet\ncompare: all_pairs",
        },
    ),
    "classes of one search": (
        {**_search(trials="4"), **_interval("method: class_bootstrap, level: 0.95, runners_up: 3", seeds=4)},
        {},
    ),
    "classes of two searches": (
        {**_search(searches="2", trials="4"), **_interval("method: class_bootstrap, level: 0.95", seeds=4)},
        {},
    ),
    "Student's t, two searches, further scores": (
        {
            **_search(searches="2", trials="4"),
            **_interval("method: student_t, level: 0.95, runners_up: 2", seeds=6),
            **APPENDIX_D,
            **FURTHER_SCORES,
        },
        {},
    ),
    "two phases, posterior mean": (
        {
            **_search(trials="5", sampler="gp", select="posterior_mean", shared=SCALES),
            **_interval("method: student_t, level: 0.95", seeds=4),
            **APPENDIX_D,
            **PHASES,
        },
        {LOSSES: "triplet: {}, a: {loss: triplet}, b: {loss: triplet}, c: {loss: triplet}, normalized_softmax: {}"},
    ),
    "frozen trunk": ({**_search(shared="{embedder_lr: {log_uniform: [1e-4, 1e-2]}}"), **FROZEN}, {}),
    "default rows": DEFAULT_ROWS,
    "evaluations and sweeps": (
        {
            **_search(searches="2"),
            **_interval("method: searches_calibrated, level: 0.95, runners_up: 1", seeds=4),
            **EVALUATIONS,
        },
        {SMALLEST: f"{SMALLEST}\nsweep: {{seeds: 2, knobs: {{{SWEPT}, triplet: {{margin: {GRID}}}}}}}"},
    ),
    "two datasets": ({"seeds: 2,": "seeds: 3,"}, {ONE_DATASET: f"{ONE_DATASET[:-1]}, {ANOTHER}}}"}),
}
"""Name → what is replaced in the small protocol and in the small study."""


SECTIONS: tuple[dict[str, str], dict[str, str]] = (
    EVALUATIONS,
    {LOSSES: "normalized_softmax: {}", SMALLEST: f"{SMALLEST}\nsweep: {{seeds: 2, test: true, knobs: {{{SWEPT}}}}}"},
)
"""The smallest study with every evaluation and a sweep."""


def run(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    """A run whose best checkpoint is that of its curve, and whose phases are as long as its curve."""
    spec = RunSpec.from_json(payload["spec"])
    diverged = bool(spec.loss) and chance("diverged", spec.id) < 0.03
    weights = Path(payload["place"]["cache"]) / "weights" / f"{spec.id}.safetensors"
    if payload["keep"] and not diverged:
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(spec.id)
    curve, phases = [_point(spec, 0, None)], []
    for phase in spec.phases if spec.fold is not None and not diverged else ():
        start = curve[-1]["iteration"]
        curve += [
            _point(spec, start + step, phase["name"])
            for step in range(phase["evaluate_every"], phase["cap"] + 1, phase["evaluate_every"])
        ]
        phases.append(_ended(curve, phase["name"], start))
    best = max(curve[1:], key=lambda point: (point["map_at_r"], -point["iteration"]), default=None)
    lengths = [{**_named(phase), "stop": "length"} for phase in spec.phases] if spec.fold is None else phases
    return {
        **head("run"),
        "id": spec.id,
        "spec": spec.to_json(),
        "outcome": "diverged" if diverged else "completed",
        "cause": "NaN at iteration 3" if diverged else None,
        "best": best,
        "curve": curve if spec.fold is not None else [],
        "phases": [] if diverged else lengths,
        "images": {"train": 60, "val": 20 if spec.fold is not None else 0},
        "weights": None if diverged else chance_digest(spec.id),
        "training": [] if diverged or spec.loss is None else _intervals(spec, curve),
    }


def _intervals(spec: RunSpec, curve: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a loss with class vectors records of each interval; runs end at different ones."""
    assert spec.loss is not None
    vectors = "softmax" in spec.loss["address"]
    return [
        {
            **{"iteration": point["iteration"], "phase": point["phase"], "loss": 1.0},
            "proxy_distance": 10 * chance("distance", spec.id, point["iteration"]) if vectors else None,
        }
        for point in curve[1 : None if chance("long", spec.id) < 0.6 else -1]
    ]


def _point(spec: RunSpec, iteration: int, phase: str | None) -> dict[str, Any]:
    value = 0.3 + 0.2 * chance("value", spec.id, iteration) + (0.05 if phase else 0)
    return {
        "iteration": iteration,
        "phase": phase,
        **{"map_at_r": value, "r_precision": value, "precision_at_1": value},
    }


def _ended(curve: list[dict[str, Any]], name: str, start: int) -> dict[str, Any]:
    """The end of a phase at its cap: its best iteration is 0 where it brought no new best."""
    top = max(curve[1:], key=lambda point: (point["map_at_r"], -point["iteration"]))
    best = top["iteration"] - start if top["phase"] == name else 0
    return {"name": name, "iterations": curve[-1]["iteration"] - start, "best_iteration": best, "stop": "cap"}


def _named(phase: Any) -> dict[str, Any]:
    return {"name": phase["name"], "iterations": phase["iterations"], "best_iteration": 0}


PAIR_SCORES = {
    "verification": (ACCURACY, EER, *ROC.values()),
    "calibration": (SPREAD, OWN, COMMON, *PLACES.values()),
}
"""Evaluation without its options → what it measures beside the scores of every record."""


def score(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    """A score whose MAP@R is the mean of its classes."""
    spec = ScoreSpec.from_json(payload["spec"])
    names = [*_further(spec.scores or {}), *PAIR_SCORES.get(spec.evaluation.partition(":")[0], ())]
    further = {name: chance(name, spec.id) for name in names}

    def both(*names: object) -> dict[str, Any]:
        return {distance: {**_classes(distance, *names), **further} for distance in ("cosine", "euclidean")}

    return {
        **head("score"),
        "id": spec.id,
        "spec": spec.to_json(),
        "each": [both(model, spec.evaluation) for model in spec.models],
        "together": both("together", spec.id) if len(spec.models) > 1 else None,
        "queries": 4 * CLASSES,
        "singletons": 0,
    }


def _classes(*names: object) -> dict[str, Any]:
    rows = [round(0.1 + 0.2 * chance(number, *names), 6) for number in range(CLASSES)]
    mean = sum(rows) / len(rows)
    return {
        "map_at_r": mean,
        "r_precision": mean + 0.05,
        "precision_at_1": mean + 0.1,
        "map_at_r_per_class": rows,
    }


def _further(scores: dict[str, Any]) -> list[str]:
    return [f"recall_at_{k}" for k in scores.get("recall_at", ())] + [name for name in ("nmi",) if scores.get(name)]


def carried_out(home: Path, *, protocol: dict[str, str], study: dict[str, str]) -> Path:
    """A small study with texts replaced in its protocol and its own file, carried out and reported."""
    texts = []
    for text, changes in ((PROTOCOL, protocol), (STUDY, study)):
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        texts.append(text)
    path = write_study(home, protocol=texts[0], study=texts[1])
    result = verbs.carry_out(
        verbs.open_study(path),
        executor=InlineExecutor(device=None),
        device="cpu",
        reuse=(),
        watch=lambda standings, running: None,
        verbs={
            "proposal": "realitycheck.search.propose:propose",
            "selection": "realitycheck.search.posterior_mean:select",
            "run": f"{__name__}:run",
            "score": f"{__name__}:score",
            "neighbors": "standins:neighbors",
        },
    )
    assert not result.left and not result.alarms
    verbs.report_study(path)
    return path
