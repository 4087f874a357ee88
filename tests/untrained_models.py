"""Two untrained models of a small study, ready to be scored."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from small_study import write_study

from realitycheck import verbs
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.runs import CLEAN, ScoringPlace, TrainingPlace
from realitycheck.training import single_run
from realitycheck.verbs.study import plans_of


@dataclass(frozen=True, slots=True)
class UntrainedModels:
    """Models under the seeds of the two folds.

    Args:
        plan: of their dataset.
        bodies: of their records.
        place: where they are scored.
    """

    plan: DatasetPlan
    bodies: list[dict[str, Any]]
    place: ScoringPlace

    def payload(self, spec: dict[str, Any]) -> dict[str, Any]:
        """What a score of them gets."""
        weights = {body["id"]: body["weights"] for body in self.bodies}
        return {"place": asdict(self.place), "weights": weights, "spec": spec}

    def score(self, evaluation: str = CLEAN) -> dict[str, Any]:
        """The spec of a score of both."""
        return self.plan.score([body["id"] for body in self.bodies], evaluation=evaluation).to_json()


def untrained_models(home: Path) -> UntrainedModels:
    """Make the models of a small study in an empty folder."""
    read = verbs.load_study(write_study(home))
    stores = verbs.prepare_data(read)
    (plan,), (pair,) = plans_of(read, stores), stores.values()
    place = asdict(TrainingPlace(str(pair.trainval), str(home), "cpu", None))
    specs = plan.untrained.searches[0].replicate_runs(index=0, knobs={})
    bodies = [single_run.run({"spec": s.to_json(), "place": place, "keep": True}, tell=unheard).body for s in specs]
    return UntrainedModels(plan, bodies, ScoringPlace(str(pair.trainval), str(pair.test), str(home), "cpu"))
