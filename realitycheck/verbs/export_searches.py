"""`export --optuna`: every trial of a study in a file that optuna-dashboard opens."""

from __future__ import annotations

from pathlib import Path

from realitycheck.plan.searches import SearchPlan
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.evidence import SearchEvidence, Trial
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.runs import Body
from realitycheck.search.optuna_file import ShownSearch, ShownTrial, write_optuna
from realitycheck.verbs.present import present_data


def export_optuna(read: ReadStudy, ledger: Ledger, path: Path) -> int:
    """Write every finished trial of a study to one SQLite file; how many there are.

    A search is a study of Optuna. Fold values, run ids and how a trial was proposed are attributes of the trials.
    """
    searches, present = [], present_data(read)
    for choice in read.study.datasets:
        plan = from_records(read.study, choice.name, ledger.records, present=present.get(choice.name))
        evidence = gather(plan, ledger.records)
        for loss, its in zip(plan.losses, evidence.losses, strict=True):
            for search, known in zip(loss.searches, its.searches, strict=True):
                trials = [_shown(search, trial) for trial in known.trials if trial.complete]
                searches.append(ShownSearch(search.group, search.ranges, trials, _attributes(search, known)))
    write_optuna(path, searches)
    return sum(len(search.trials) for search in searches)


def _attributes(search: SearchPlan, known: SearchEvidence) -> Body:
    chosen = known.chosen
    return {
        "search": search.id,
        "sampler": search.protocol.search.sampler,
        "planned": known.planned,
        "chosen": None if chosen is None else chosen.slot,
        "fixed": {name: value for name, value in search.ranges.items() if not isinstance(value, dict)},
    }


def _shown(search: SearchPlan, trial: Trial) -> ShownTrial:
    runs = [run for run in trial.runs if run is not None]
    attributes = {
        "slot": trial.slot,
        "source": trial.source,
        "fold_values": list(trial.fold_values),
        "runs": [run.id for run in runs],
        "causes": [run.cause for run in runs if run.cause],
        "as_the_loss_gets_them": dict(trial.raw()),
        "seed": search.protocol.seed,
    }
    return ShownTrial(trial.knobs, trial.value, attributes)
