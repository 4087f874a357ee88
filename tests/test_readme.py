"""The numbers of the README are those of the committed reports, and its Python examples are true."""

from __future__ import annotations

import csv
import itertools
import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.losses.menu import MENU as LOSSES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

MAIN = "complete-512 MAP@R"


def section(heading: str) -> str:
    """The text below a heading, up to the next heading, on one line."""
    text = re.split(rf"^#+ {re.escape(heading)}$", README, flags=re.MULTILINE)[1]
    return " ".join(re.split(r"^#+ ", text, flags=re.MULTILINE)[0].replace("\\_", "_").split())


def facts(study: str) -> dict[str, Any]:
    report = json.loads((ROOT / "reports" / study / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    return dataset


def points(value: float, *, sign: bool = True) -> str:
    """Hundredths with two decimals, as the README writes them."""
    return f"{100 * value:{'+' if sign else ''}.2f}".replace("-", "−")


def trainings(study: str) -> str:
    return f"{sum(facts(study)['facts']['trainings'].values()):,} trainings"


def main_cells(study: str) -> dict[str, dict[str, Any]]:
    """Label → the cell of complete-512 MAP@R, of losses and untrained models."""
    dataset = facts(study)
    return {
        row["label"]: cell
        for row in (*dataset["rows"], *dataset["untrained"])
        for cell in row["cells"]
        if (cell["category"], cell["metric"]) == ("complete", "map_at_r")
    }


def half(interval: dict[str, float]) -> str:
    return points((interval["high"] - interval["low"]) / 2, sign=False)


def result_table(study: str) -> list[str]:
    """The lines of the table of a study with several searches."""
    cells, known = main_cells(study), {one["label"]: one for one in facts(study)["comparisons"]}
    best, lines = max(cell["mean"] for cell in cells.values()), []
    for label, cell in cells.items():
        score = points(cell["mean"], sign=False)
        score += f" ± {half(cell['interval'])}" if cell["interval"] else ""
        score = f"**{score}**" if cell["mean"] == best else score
        trained = label in known or label == "contrastive"
        seeds = f"± {half(cell['retraining'])}" if trained else ""
        one = known.get(label)
        ends = [points(one["interval"][end]) for end in ("low", "high")] if one else []
        gap = f"{points(one['mean'])} ({ends[0]} to {ends[1]})" if one else ""
        verdict = one["verdict"] if one else "baseline" if trained else ""
        lines.append(" ".join(" | ".join([label if trained else f"*{label}*", score, seeds, gap, verdict]).split()))
    return lines


def by_seeds_alone(study: str, *, baseline: str) -> dict[str, float]:
    """Label → Holm's p of a paired t test against the baseline, over the seeds in `seeds.csv`."""
    columns = seed_columns(study)
    base = columns.pop(baseline)
    p = sorted((float(stats.ttest_rel(own, base).pvalue), label) for label, own in columns.items())
    steps = [min(1.0, (len(p) - place) * value) for place, (value, _) in enumerate(p)]
    return {label: max(steps[: place + 1]) for place, (_, label) in enumerate(p)}


def seed_columns(study: str) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    with (ROOT / "reports" / study / "seeds.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["trained"] == "yes":
                columns.setdefault(row["loss"], []).append(float(row[MAIN]))
    return columns


def groceries() -> list[str]:
    dataset, columns, photos = facts("grocery_frozen"), seed_columns("grocery_frozen"), DATASETS["grocery_store"]
    assert {one["verdict"] for one in dataset["comparisons"]} == {"undecided"}
    assert not any(gain["verdict"] == "better" for gain in dataset["against_untrained"]["gains"]["untrained trunk"])
    called = {label for label, p in by_seeds_alone("grocery_frozen", baseline="contrastive").items() if p < 0.05}
    assert len(called) == 5 and len(dataset["comparisons"]) == 12
    base = columns["contrastive"]
    assert all(sum(columns[label]) > sum(base) for label in called)
    same = [columns[label] for label in dataset["noise"]["labels"]]
    paired = stats.ttest_rel(*same)
    low, high = sorted(abs(end) for end in paired.confidence_interval())
    sizes = [one["detectable"] for one in dataset["comparisons"]]
    in_p1 = {
        row["label"]: cell["mean"]
        for row in dataset["rows"] + dataset["untrained"]
        for cell in row["cells"]
        if (cell["category"], cell["metric"]) == ("complete", "precision_at_1")
    }
    bases = [in_p1.pop(f"untrained {one}") for one in ("embedder", "trunk")]
    assert len(in_p1) == 13 and max(in_p1.values()) < min(bases)
    (rank,) = (one for one in dataset["warnings"] if one["code"] == "validation-does-not-predict")
    return [
        f"{photos.images:,} photos of {photos.classes}",
        trainings("grocery_frozen"),
        *result_table("grocery_frozen"),
        f"They are {abs(statistics.mean(same[0]) - statistics.mean(same[1])):.2f} points apart",
        f"{low:.2f} to {high:.2f} points, p {paired.pvalue:.3f}",
        f"by {points(min(sizes), sign=False)} to {points(max(sizes), sign=False)} points",
        f"is {re.search(r'Spearman ([0-9.]+[0-9])', rank['sentence'])[1]}",
        *chosen_settings(dataset),
        *one_rate(called),
        *finetuned(),
        *sketches(),
        *five_names(),
        *placebo(),
    ]


def finetuned() -> list[str]:
    """Three losses whose trunk trains: means, their order beside `grocery_frozen`, and the gap of two searches."""
    columns, comparisons = seed_columns("grocery_finetuned"), facts("grocery_finetuned")["comparisons"]
    ((verdict, size),) = {(one["verdict"], points(one["detectable"], sign=False)) for one in comparisons}
    means = {label: statistics.mean(values) for label, values in columns.items()}
    frozen = [statistics.mean(seed_columns("grocery_frozen")[label]) for label in means]
    halves = [statistics.mean(columns["multi_similarity"][part]) for part in (slice(5), slice(5, 10))]  # its searches
    return [
        trainings("grocery_finetuned"),
        *(f"{label} {means[label.strip('`')]:.2f}" for label in ("contrastive", "`multi_similarity`")),
        f"`normalized_softmax` {means['normalized_softmax']:.2f}",
        f"Spearman {stats.spearmanr(list(means.values()), frozen).statistic:.2f} over three losses",
        f"`multi_similarity` are {abs(halves[0] - halves[1]):.2f} points apart",
        {"undecided": f"{size} points would be found in 80 % of such studies"}[verdict],
    ]


def five_names() -> list[str]:
    """One function under five names: which losses can be the best, and how far apart they are."""
    dataset = facts("five_names")
    names = dataset["noise"]["labels"]
    assert len(names) == 5 and len(dataset["rows"]) == 9
    (floor,) = (
        one for one in dataset["noise"]["floors"] if (one["category"], one["metric"]) == ("complete", "map_at_r")
    )
    assert (floor["pairs"], floor["closer"]) == (10, [])
    assert floor["largest"]["interval"]["low"] < 0
    assert {one["label"] for one in dataset["ranks"]["intervals"] if one["best"] == 1} == set(names)
    columns = seed_columns("five_names")
    pairs = [stats.ttest_rel(columns[one], columns[other]).pvalue for one, other in itertools.combinations(names, 2)]
    assert min(pairs) > 0.05
    return [trainings("five_names"), f"within {points(floor['high'] - floor['low'], sign=False)} points of each other"]


def placebo() -> list[str]:
    """One loss under four labels: the verdicts, how far apart they are, and what a paired t test says."""
    dataset = facts("placebo_searches")
    verdicts = {one["label"]: one["verdict"] for one in dataset["comparisons"]}
    assert verdicts == dict.fromkeys(("second", "third", "fourth"), "equivalent")
    (floor,) = (
        one for one in dataset["noise"]["floors"] if (one["category"], one["metric"]) == ("complete", "map_at_r")
    )
    holm = by_seeds_alone("placebo_searches", baseline="first")
    assert [label for label, p in holm.items() if p < 0.05] == ["fourth"]
    columns = seed_columns("placebo_searches")
    alone = f"p {stats.ttest_rel(columns['fourth'], columns['first']).pvalue:.3f} for the fourth"
    assert alone in (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    return [
        trainings("placebo_searches"),
        f"within {points(floor['high'] - floor['low'], sign=False)} points of each other",
        f"p {holm['fourth']:.3f} after Holm's correction",
    ]


def sketches() -> list[str]:
    """The differences of the study on sketches, and that all of its losses are better than the untrained network."""
    dataset = facts("sketches")
    known = {one["label"]: one for one in dataset["comparisons"]}
    verdicts = {label: one["verdict"] for label, one in known.items()}
    assert verdicts == {"triplet": "worse", "multi_similarity": "undecided", "normalized_softmax": "better"}
    gains = [one["verdict"] for each in dataset["against_untrained"]["gains"].values() for one in each]
    assert gains == ["better"] * 8
    above, below = known["normalized_softmax"], known["triplet"]
    ends = [f"({points(one['interval']['low'])} to {points(one['interval']['high'])})" for one in (above, below)]
    return [
        trainings("sketches"),
        f"`normalized_softmax` is better than contrastive by {points(above['mean'], sign=False)} points {ends[0]}",
        f"`triplet` is worse by {points(-below['mean'], sign=False)} {ends[1]}",
    ]


def chosen_settings(dataset: dict[str, Any]) -> list[str]:
    """The margins of two losses, and the rate of the embedder against the test score, search by search."""
    with (ROOT / "reports" / "grocery_frozen" / "settings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = {(row["loss"], int(row["search"]), row["hyper_parameter"]): row["value"] for row in rows}
    for label in ("cosface", "arcface"):
        assert [float(chosen[label, search, "margin"]) for search in (1, 2, 3)] == [0.0] * 3
    means = {row["label"]: main_cells("grocery_frozen")[row["label"]]["search_means"] for row in dataset["rows"]}
    pairs = [
        (float(chosen[label, search, "embedder_lr"]), mean)
        for label, own in means.items()
        for search, mean in enumerate(own, 1)
    ]
    rho = stats.spearmanr(*zip(*pairs, strict=True)).statistic
    return [f"Spearman {rho:.2f} over the {len(pairs)} searches".replace("-", "−")]


def one_rate(called: set[str]) -> list[str]:
    """The study with one rate of the embedder beside that with a searched one; `called` are the better ones there."""
    both = [seed_columns(study) for study in ("grocery_frozen", "grocery_shared_rate")]
    first, second = ({label: statistics.mean(column) for label, column in one.items()} for one in both)
    wide, narrow = (max(means.values()) - min(means.values()) for means in (first, second))
    rho = stats.spearmanr(list(first.values()), [second[label] for label in first]).statistic
    better = {label for label, p in by_seeds_alone("grocery_shared_rate", baseline="contrastive").items() if p < 0.05}
    assert len(better) == 1 and not better & called
    assert second[better.pop()] > second["contrastive"]
    return [
        f"of {trainings('grocery_shared_rate')} has one rate",
        f"within {narrow:.2f} points of each other there, and within {wide:.2f} here",
        f"is {rho:.2f}".replace("-", "−"),
    ]


def searches() -> list[str]:
    """Of the measured searches by the sampler gp that chose by the best value."""
    measured = json.loads((ROOT / "docs" / "measured" / "searches" / "rows.json").read_text(encoding="utf-8"))
    usual = [row for row in measured if (row["sampler"], row["rate"], row["select"]) == ("gp", None, "best")]
    known = {row["loss"]: row for row in usual if (row["surface"], row["trials"]) == ("grocery", 25)}
    first, second = known["contrastive"]["complete"], known["nt_xent"]["complete"]
    menu, one = DATASETS["grocery_store"], "contrastive"
    kinds = [row for row in measured if (row["loss"], row["select"], row["trials"]) == (one, "best", 25)]
    searched = [row for row in kinds if row["rate"] is None]
    fixed = {row["loss"]: row["complete"]["search"] for row in measured if row["rate"] is not None}
    rates = [rate for row in searched for rate in row["rates"]]
    ends = [mean for row in searched for mean in row["complete"]["means"]]
    (by_tpe,) = (row for row in measured if (row["loss"], row["sampler"]) == ("nt_xent", "tpe"))
    rho = f"{stats.spearmanr(rates, ends).statistic:.2f}".replace("-", "−")
    return [
        f"{menu.images:,} photos of {menu.classes}",
        f"Over the {len(rates)} searches of all five",
        f"Spearman {rho}",
        f"With that rate fixed the standard deviation is {fixed[one]:.2f} for the contrastive loss",
        f"and {fixed['nt_xent']:.2f} for `nt_xent`",
        f"between {min(first['means']):.2f} and {max(first['means']):.2f} points",
        f"deviation is {first['search']:.2f} points; that of one seed is {first['seed']:.2f}",
        f"deviation of {second['search']:.2f}, and eight by another sampler {by_tpe['complete']['search']:.2f}",
    ]


SECTIONS = {
    "A result": groceries,
    "Searches on photos": searches,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_numbers_are_those_of_the_tables(heading):
    text = section(heading)
    assert [phrase for phrase in SECTIONS[heading]() if phrase not in text] == []


@pytest.mark.parametrize("heading", SECTIONS)
def test_no_other_decimal_is_quoted(heading):
    decimals = re.compile(r"\d+\.\d+")
    known = set(decimals.findall(" ".join(SECTIONS[heading]())))
    assert set(decimals.findall(section(heading))) - known == set()


def test_the_menu_has_as_many_losses_as_the_readme_says():
    """Rounded down, so that a new loss does not change the README."""
    (said,) = re.findall(r"more than ([0-9]+) losses", section("Commands"))
    assert int(said) < len(LOSSES) <= int(said) + 20


def test_links_lead_to_files():
    targets = [target for target in re.findall(r"\]\(([^)#]+)", README) if not target.startswith("https://")]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_examples_run():
    """All but the one that trains, which is only read; `test_examples` runs its functions."""
    trains, measures = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    compile(trains, "README.md", "exec")
    exec(measures, {})
