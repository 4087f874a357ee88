"""The numbers of docs/experiments.md are those of the committed reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from realitycheck.evaluations.menu import ROC

ROOT = Path(__file__).parents[1]
PAGE = " ".join((ROOT / "docs" / "experiments.md").read_text(encoding="utf-8").split())


def faces(study: str = "faces") -> dict[str, Any]:
    report = json.loads((ROOT / "reports" / study / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    return dataset


def percent(one: dict[str, float]) -> str:
    return f"{100 * one['mean']:.2f} ± {100 * one['half_width']:.2f}"


def test_a_network_from_random_weights():
    gains = faces("faces_convnet")["against_untrained"]["gains"]["untrained embedder"]
    assert sum(gain["verdict"] == "better" for gain in gains) == 4
    assert {one["verdict"] for one in faces("faces_convnet")["comparisons"]} == {"undecided"}
    beside = faces("faces_convnet")["against_untrained"]["gains"]["frozen lite0"]
    lower = [-100 * gain["mean"] for gain in beside]
    assert f"by {min(lower):.2f} to {max(lower):.2f} points" in PAGE
    assert sum(gain["verdict"] == "worse" for gain in beside) == 4
    row = next(row for row in faces("faces_convnet")["untrained"] if row["label"] == "frozen lite0")
    (mean,) = {cell["mean"] for cell in row["cells"] if cell["metric"] == "map_at_r"}
    assert f"{100 * mean:.2f} points of MAP@R" in PAGE


@pytest.mark.parametrize("study", ["faces", "faces_convnet"])
def test_verification_by_pairs(study):
    dataset = faces(study)
    (evaluation,) = dataset["verification"]["evaluations"]
    lines = []
    for row in evaluation["rows"]:
        trained = row["label"] != "untrained embedder"
        cells = [row["accuracy"], *(row["roc"][list(ROC).index(far)] for far in (0.1, 0.01)), row["eer"]]
        lines.append(" | ".join([f"`{row['label']}`" if trained else row["label"], *map(percent, cells)]))
    assert len(lines) == 8
    assert [line for line in lines if line not in PAGE] == []
    assert f"{sum(dataset['facts']['trainings'].values())} trainings" in PAGE


def test_calibration_of_distances():
    (evaluation,) = faces()["one_threshold"]["evaluations"]
    rows = {row["label"]: row for row in evaluation["rows"]}
    names = [label for label in rows if not label.startswith("untrained")]
    said = [f"{100 * rows[name]['spread']['mean']:.2f}" for name in names]
    assert [text for text in said if text not in PAGE] == []
    for name in ("magface", "warped_softmax"):
        assert f"{100 * rows[name]['lost']['mean']:.1f}" in PAGE


def test_score_against_one_hyper_parameter():
    report = json.loads((ROOT / "reports" / "sweep_sketches" / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    lines = []
    for knob in dataset["sweeps"]["knobs"]:
        means = {value["value"]: 100 * value["scores"]["mean"] for value in knob["values"]}
        if knob["knob"] in ("inner_slope", "handicap"):
            assert len(set(means.values())) == 1
            continue
        best, (low, high) = max(means, key=means.__getitem__), knob["range"]
        chosen = f"{knob['chosen']:.4g} | {means[knob['chosen']]:.2f} | {means[best]:.2f} at {best:.4g}"
        lines.append(f"`{knob['label']}` | `{knob['knob']}` | {low:g} to {high:g} | {chosen}")
    assert len(lines) == 3
    assert [line for line in lines if line not in PAGE] == []


def verdicts(study: str) -> dict[str, str]:
    report = json.loads((ROOT / "reports" / study / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    return {one["label"]: one["verdict"] for one in dataset["comparisons"]}


def test_functions_of_distances():
    for study in ("ablation_sketches", "ablation_grocery"):
        words = verdicts(study)
        assert len(words) == 9
        assert set(words.values()) == {"undecided"}
    report = json.loads((ROOT / "reports" / "ablation_sketches" / "tables.json").read_text(encoding="utf-8"))
    cells = {row["label"]: row["cells"] for row in report["datasets"][0]["rows"]}
    means = {
        label: next(cell["mean"] for cell in own if cell["metric"] == "precision_at_1") for label, own in cells.items()
    }
    assert min(means, key=means.__getitem__) == "sigmoid"
    assert f"{100 * (means['identity'] - means['sigmoid']):.1f} points of P@1" in PAGE


def test_corrupted_images():
    report = json.loads((ROOT / "reports" / "corrupted_sketches" / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    assert dataset["corruption"]["rises"] == []
    assert {line["verdict"] for table in dataset["corruption"]["tables"] for line in table["lines"]} <= {
        None,
        "undecided",
    }


def test_corrupted_groceries():
    report = json.loads((ROOT / "reports" / "corrupted_grocery" / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    tables = {table["kind"]: table["lines"] for table in dataset["corruption"]["tables"]}
    assert len(tables) == 9
    assert {line["verdict"] for lines in tables.values() for line in lines} <= {None, "undecided"}
    assert {one["verdict"] for one in dataset["comparisons"]} == {"undecided"}
    drops = {kind: sorted(-100 * line["drop"]["mean"] for line in lines) for kind, lines in tables.items()}
    assert f"within {max(own[-1] - own[0] for own in drops.values()):.2f} points of one another" in PAGE
    halves = [
        50 * (line["drop"]["interval"]["high"] - line["drop"]["interval"]["low"])
        for lines in tables.values()
        for line in lines
    ]
    assert f"of a drop is {min(halves):.2f} to {max(halves):.2f} points" in PAGE
    for kind in ("hue_saturation", "jigsaw", "cutout", "defocus_blur"):
        assert f"{drops[kind][0]:.2f} to {drops[kind][-1]:.2f}" in PAGE
    assert sorted(drops, key=lambda kind: drops[kind][0])[-2:] == ["jigsaw", "hue_saturation"]
    assert f"{sum(dataset['facts']['trainings'].values()):,} trainings" in PAGE
    gains = dataset["against_untrained"]["gains"]["untrained trunk"]
    assert max(gain["mean"] for gain in gains) < 0
