"""The methods text and its references: what they cite, and the numbers that they repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from realitycheck.verify.checks import Checks, few
from realitycheck.verify.digests import Json
from realitycheck.verify.printed import plain
from realitycheck.verify.wanted_scores import percent

METHODS, REFERENCES = "methods.tex", "references.bib"

CLEAN = "no class of the test half was used before all searches had ended"
"""What only a study may say that opened its test half once, with everything declared before."""

SHOWN = 12
"""Digits of a registration that the text names."""


HALVES = {
    "sorted": "in their sorted order, as in the original, the first half is trainval",
    "shuffled": "in an order drawn once, the first half is trainval",
    "official": "trainval and test are the halves of the dataset's makers",
}
"""What the text says of the order in which classes are cut in halves."""


def check_paper_texts(
    study: Json, protocol: Json, datasets: Sequence[Json], texts: Mapping[str, str], checks: Checks
) -> None:
    """Hold the methods text to the study, and what it cites to the references.

    Args:
        study: the keys of the study.
        protocol: the protocol as plain JSON.
        datasets: the numbers of every dataset.
        texts: name of a file → its text; those that are missing are not looked at.
        checks: the result.
    """
    methods, references = texts.get(METHODS), texts.get(REFERENCES)
    if methods is not None and references is not None:
        cited = {key for keys in re.findall(r"\\cite\{([^}]*)\}", methods) for key in keys.split(",")}
        entries = re.findall(r"^@\w+\{([^,\s]+),", references, re.MULTILINE)
        for key in sorted(cited | set(entries)):
            says = f"{key} is cited and has {entries.count(key)} entries." if key in cited else f"{key} is not cited."
            holds = key in cited and entries.count(key) == 1
            checks.holds(holds, what="references", where=REFERENCES, code="reference-differs", says=says)
    if methods is None:
        return
    text = plain(re.sub(r"\\([&%#_{}$])", r"\1", re.sub(r"~?\\cite\{[^}]*\}", "", methods)).replace("$", ""))
    text = text.replace("\\pm", "±")
    phrases = [*_phrases(study, protocol), *_of_halves(datasets)]
    lacking = [phrase for phrase in phrases if plain(phrase) not in text]
    claims = plain(CLEAN) in text
    checks.holds(
        claims == (CLEAN in phrases),
        what="sentences of methods.tex",
        where=METHODS,
        code="sentence-differs",
        says="what it says of the use of the test half is not what the records lead to.",
    )
    checks.holds(
        not lacking,
        what="numbers of methods.tex",
        where=METHODS,
        code="sentence-differs",
        says=f"it does not say: {few(lacking)}.",
    )


def _of_halves(datasets: Sequence[Json]) -> Iterator[str]:
    """What the text must say of the test halves."""
    used = [one for one in datasets if len(one["openings"]) > 1 or any(row["exploratory"] for row in one["rows"])]
    if not used:
        yield CLEAN
    for one in used:
        yield f"holds {_count(len(one['openings']), 'opening', 'openings')} of the test half of {one['dataset']}"


def _phrases(study: Json, protocol: Json) -> Iterator[str]:
    """What the text must say: counts, names, level, smallest difference, and registrations."""
    labels = [_shown(one["label"], study["statuses"]) for one in study["treatments"]]
    yield f"We compared {_count(len(labels), 'loss', 'losses')} ({_enumerated(labels)})"
    yield f"Differences from {_shown(study['baseline'], study['statuses'])} in {study['categories'][study['category']]}"
    yield f"at the {percent(1 - study['level'])} level"
    yield f"equivalent within ±{100 * study['smallest_difference']:.2f} points"
    searches, seeds = study["searches_per_loss"], study["seeds"]
    trials, folds = protocol["search"]["trials"], protocol["folds"]["count"]
    yield f"{_count(trials, 'trial', 'trials')} of {_count(folds, 'fold run', 'fold runs')}"
    yield f"{searches} independent searches" if searches > 1 else f"{seeds} fresh seeds for the chosen setting"
    yield f"{seeds} fresh seeds"
    yield f"{protocol['embedding_dim']} dimensions"
    yield HALVES[protocol["split"]["order"]]
    yield from (one["id"][:SHOWN] for one in study["registrations"])


def _shown(label: str, statuses: Mapping[str, str]) -> str:
    return f"{label} (reconstruction)" if statuses[label] == "reconstruction" else label


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _enumerated(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
