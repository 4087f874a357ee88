"""The standard deviation that a design rests on, from an earlier study."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from realitycheck.errors import InputError
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.folders import evidence_folder
from realitycheck.verbs.report import study_evidence
from realitycheck.verbs.study import open_study


def pilot_deviation(read: ReadStudy, pilot: ReadStudy | Path | str) -> float:
    """Return the standard deviation of the design's unit in an earlier study, in points of the primary score.

    It is the root mean square of √(n / 2) times the standard error of each difference from the baseline, n independent
    values in the pilot. So it holds what pairing by seed or search gains there.

    Args:
        read: the study to plan.
        pilot: the earlier one. Its data, trials, replicates per search and estimator are the same, because the size of
            search luck depends on them; its losses, searches and seeds may be others.

    Raises:
        InputError: the two studies differ in what the deviation depends on, or the pilot has too few scores.
        LedgerError: the pilot's ledger is damaged.
    """
    from realitycheck.report.findings import find_all  # scipy, that other verbs do without

    earlier = open_study(pilot)
    if unlike := sorted(_unlike(read, earlier)):
        says = (
            f"the pilot {earlier.source} is not allowed here: its {', '.join(unlike)} differ from those of this study."
        )
        raise InputError.one(read.source, "pilot-unlike", f"{says} Choose a study under the same protocol.")
    findings = find_all(earlier.study, study_evidence(earlier, Ledger(evidence_folder(earlier))), sources={}, credit=())
    design = findings.study.estimator.design(replicates=findings.study.seeds, losses=len(findings.study.losses))
    estimates = [
        dataset.fit.difference(label, findings.study.baseline)
        for dataset in findings.datasets
        for label in dataset.labels
        if label != findings.study.baseline
    ]
    squares = [estimate.error**2 for estimate in estimates if estimate is not None]
    if not squares:
        says = f"missing scores of the pilot {earlier.source}; `run` it first, or state the deviation by `--sd`."
        raise InputError.one(read.source, "pilot-scores-missing", says)
    return 100 * math.sqrt(design.independent / 2 * math.fsum(squares) / len(squares))


def _unlike(read: ReadStudy, earlier: ReadStudy) -> Iterator[str]:
    """Name the keys on which the deviation depends and which differ."""
    own, other = _comparable(read.study.protocol), _comparable(earlier.study.protocol)
    yield from (key for key in own if own[key] != other.get(key))
    if {one.address for one in read.study.datasets} != {one.address for one in earlier.study.datasets}:
        yield "datasets"
    if read.study.primary != earlier.study.primary:
        yield "primary"


def _comparable(protocol: Protocol) -> dict[str, Any]:
    """The protocol without its names, its numbers of searches and seeds, and the level of its intervals."""
    body = protocol.model_dump(mode="json", exclude={"protocol", "summary", "assumed", "interval"})
    searches = body["search"].pop("searches")
    body["final"]["seeds"] /= searches
    return body | {"interval": protocol.interval.method}
