"""The menu of sections: the page, top to bottom."""

from __future__ import annotations

from typing import Any

from realitycheck.report.sections import (
    against_untrained,
    answer,
    corruption,
    credit,
    data_facts,
    differences,
    measured,
    neighbor_table,
    noise_floor,
    one_threshold,
    openings,
    per_class,
    proxy_distances,
    published,
    rank_table,
    registrations,
    retraining,
    runner_table,
    scores,
    search_effort,
    search_results,
    shared_effects,
    study_files,
    swept_knobs,
    unequal,
    verified_pairs,
    warning_list,
)
from realitycheck.report.sections.base import Section

SECTIONS: tuple[Section[Any, Any], ...] = (
    answer.SECTION,
    data_facts.SECTION,
    warning_list.SECTION,
    against_untrained.SECTION,
    scores.SECTION,
    differences.SECTION,
    rank_table.SECTION,
    corruption.SECTION,
    noise_floor.SECTION,
    published.SECTION,
    search_results.SECTION,
    shared_effects.SECTION,
    runner_table.SECTION,
    search_effort.SECTION,
    swept_knobs.SECTION,
    per_class.SECTION,
    neighbor_table.SECTION,
    proxy_distances.SECTION,
    verified_pairs.SECTION,
    one_threshold.SECTION,
    retraining.SECTION,
    openings.SECTION,
    registrations.SECTION,
    unequal.SECTION,
    measured.SECTION,
    credit.SECTION,
    study_files.SECTION,
)
"""In order; neighbouring sections of datasets are repeated together for every dataset."""
