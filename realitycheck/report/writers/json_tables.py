"""The report as JSON: every number with full precision, every part of every interval; scores are fractions of one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.parts import ReportPart
from realitycheck.report.study_facts import StudyFacts

VERSION = 1
"""Raised by every change of the layout that a reader of `tables.json` must know of; new keys are no such change."""


def json_text(findings: Findings, parts: Sequence[ReportPart]) -> str:
    """Render the findings and the facts of every section: those of a dataset below `datasets`, the others beside it."""
    datasets = [_merge(_dataset_keys(dataset), _facts_of(dataset, parts)) for dataset in findings.datasets]
    body = _merge(_study_keys(findings.study), _facts_of(findings, parts), {"version": VERSION, "datasets": datasets})
    return json_of(body)


def json_of(body: Mapping[str, Any]) -> str:
    """Values of a report as JSON: sorted keys, full precision."""
    return json.dumps(_plain(body), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def _study_keys(study: StudyFacts) -> dict[str, Any]:
    return {
        "study": study.study,
        "question": study.question,
        "protocol": study.protocol.protocol,
        "override": study.override,
        "baseline": study.baseline,
        "category": study.category,
        "metric": study.metric,
        "categories": study.categories,
        "smallest_difference": study.smallest_difference,
        "level": study.level,
        "covers": study.estimator.covers,
        "seeds": study.seeds,
        "searches_per_loss": study.searches,
        "statuses": study.statuses,
        "two_phases": study.several_phases,
    }


def _dataset_keys(dataset: DatasetFindings) -> dict[str, Any]:
    return {
        "dataset": dataset.dataset,
        "missing": dataset.missing,
        "answer": dataset.answer,
        "answers": dataset.answers,
    }


def _facts_of(subject: Findings | DatasetFindings, parts: Sequence[ReportPart]) -> dict[str, Any]:
    return _merge(*(_facts(part) for part in parts if part.subject is subject))


def _facts(part: ReportPart) -> Mapping[str, Any]:
    section = part.section
    if section.keys is None or part.facts is None:
        return {section.name: part.facts}
    return section.keys(part.facts)


def _merge(*sides: Mapping[str, Any]) -> dict[str, Any]:
    """All keys of all sides.

    Raises:
        ValueError: if a key occurs twice.
    """
    merged: dict[str, Any] = {}
    for side in sides:
        twice = merged.keys() & side.keys()
        if twice:
            raise ValueError(f"duplicate key in tables.json: {', '.join(sorted(twice))}. Rename it in its section.")
        merged |= side
    return merged


def _plain(value: Any) -> Any:
    """The value as JSON has it; the keys of a mapping become text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            part.name: _plain(getattr(value, part.name)) for part in fields(value) if part.metadata.get("json", True)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
