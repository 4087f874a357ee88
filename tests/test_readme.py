"""The numbers of the README are those of the committed reports, and its Python examples are true."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.losses.menu import MENU as LOSSES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

MAIN = "complete-512 MAP@R"
NEAREST = "complete-512 P@1"


def section(heading: str) -> str:
    """The text below a heading, up to the next heading, on one line."""
    text = re.split(rf"^#+ {re.escape(heading)}$", README, flags=re.MULTILINE)[1]
    return " ".join(re.split(r"^#+ ", text, flags=re.MULTILINE)[0].replace("\\_", "_").split())


def rows(study: str, name: str = "tables") -> dict[str, dict[str, str]]:
    with (ROOT / "reports" / study / f"{name}.csv").open(encoding="utf-8") as file:
        return {row["loss"]: row for row in csv.DictReader(file)}


def facts(study: str) -> dict[str, Any]:
    report = json.loads((ROOT / "reports" / study / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    return dataset


def cell(row: dict[str, str], column: str) -> str:
    return f"{row[f'{column} mean']} ± {row[f'{column} half_width']}"


def points(value: float, *, sign: bool = True) -> str:
    """Hundredths with two decimals, as the README writes them."""
    return f"{100 * value:{'+' if sign else ''}.2f}".replace("-", "−")


def trainings(study: str) -> str:
    return f"{sum(facts(study)['facts']['trainings'].values()):,} trainings"


def floor(study: str) -> dict[str, Any]:
    """The noise floor in complete-512 MAP@R."""
    return next(
        column
        for column in facts(study)["noise"]["floors"]
        if (column["category"], column["metric"]) == ("complete", "map_at_r")
    )


def exact_means(study: str) -> dict[str, float]:
    """Label → unrounded mean of complete-512 MAP@R."""
    return {
        row["label"]: cell["mean"]
        for row in facts(study)["rows"]
        for cell in row["cells"]
        if (cell["category"], cell["metric"]) == ("complete", "map_at_r")
    }


def sketches() -> list[str]:
    scores, verdicts, dataset = rows("sketches"), rows("sketches", "differences"), facts("sketches")
    equivalence = {loss["label"]: loss["equivalence"] for loss in dataset["comparisons"]}
    best = {column: max(float(row[f"{column} mean"]) for row in scores.values()) for column in (MAIN, NEAREST)}
    phrases = [trainings("sketches"), "within ±0.50 points", f"All {dataset['facts']['trainings']['folds']} final fold"]
    for loss, row in scores.items():
        cells = [
            f"**{cell(row, column)}**" if float(row[f"{column} mean"]) == best[column] else cell(row, column)
            for column in (MAIN, NEAREST)
        ]
        name = loss if row["trained"] == "yes" else f"*{loss}*"
        phrases.append(" | ".join([name, *cells]))
    for loss, row in verdicts.items():
        low, high = float(row["low"]) / 100, float(row["high"]) / 100
        if row["verdict"] == "equivalent":
            low, high = equivalence[loss]["low"], equivalence[loss]["high"]
        difference = points(float(row["difference"]) / 100)
        phrases.append(f"{row['verdict']}: {difference} ({points(low)} to {points(high)})")
    ends = [loss["final"] for loss in dataset["endings"]]
    assert all(end["capped"] == end["runs"] for end in ends)
    return [*phrases, f"cap of {dataset['endings'][0]['cap']} iter", f"{sum(end['rising'] for end in ends)} of them"]


def five_names() -> list[str]:
    noise, means = floor("five_names"), exact_means("five_names")
    names = facts("five_names")["noise"]["labels"]
    interval = noise["largest"]["interval"]
    center = sum(means[name] for name in names) / len(names)
    others = set(means) - set(names)
    assert (noise["largest"]["higher"], noise["largest"]["lower"]) == ("proxy_nca_pp", "cosface")
    assert (noise["pairs"], noise["closer"]) == (10, []), "the README says that all ten pairs are further apart"
    assert min(others, key=lambda name: abs(means[name] - center)) == "warped_softmax"
    return [
        trainings("five_names"),
        f"spread over {points(noise['high'] - noise['low'], sign=False)} points",
        f"standard deviation of {points(noise['sd'], sign=False)}",
        f"{points(interval['low'])} to {points(interval['high'])}",
        f"{points(center - means['warped_softmax'], sign=False)} points below the mean",
    ]


def searches() -> list[str]:
    """Of the measured searches by the sampler gp that chose by the best value."""
    measured = json.loads((ROOT / "docs" / "measured" / "searches" / "rows.json").read_text(encoding="utf-8"))
    usual = [row for row in measured if (row["sampler"], row["rate"], row["select"]) == ("gp", None, "best")]
    known = {row["loss"]: row for row in usual if (row["surface"], row["trials"]) == ("grocery", 25)}
    first, second = known["contrastive"]["complete"], known["nt_xent"]["complete"]
    menu = DATASETS["grocery_store"]
    return [
        f"{menu.images:,} photos of {menu.classes}",
        f"between {min(first['means']):.2f} and {max(first['means']):.2f} points",
        f"deviation is {first['search']:.2f} points; that of one seed is {first['seed']:.2f}",
        f"deviation of {second['search']:.2f}",
    ]


SECTIONS = {
    "A result": sketches,
    "One function under five names": five_names,
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
