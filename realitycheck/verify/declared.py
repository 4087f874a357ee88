"""What a study declares on one dataset: ids of its searches, runs, scores and plan, from its files as plain JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from realitycheck.verify.digests import VERSION, Json, seed_of, sha256_of

UNTRAINED = "untrained"
"""The label of models that are never trained."""

FIXED_METRICS = ("map_at_r", "r_precision", "precision_at_1")
"""The scores of every record, in the order of the columns."""


@dataclass(frozen=True)
class DeclaredStudy:
    """A study as its files declare it.

    Args:
        study: the study as plain JSON, every default written out.
        on: name of a dataset → the protocol on it.
        statuses: label of a loss → `exact`, `variant` or `reconstruction`, as the menu of losses has it; else empty.
    """

    study: Json
    on: Mapping[str, Json]
    statuses: Mapping[str, str]

    @property
    def labels(self) -> list[str]:
        """The losses, in order."""
        return [loss["label"] for loss in self.study["losses"]]


@dataclass(frozen=True)
class Declared:
    """A study on one dataset, of which the digests of both halves are known.

    Args:
        whole: the study.
        dataset: the dataset's name.
        data: digest of the trainval half.
        test: digest of the test half; None before it is known.
    """

    whole: DeclaredStudy
    dataset: str
    data: str
    test: str | None

    @property
    def study(self) -> Json:
        """The study's own keys."""
        return self.whole.study

    @property
    def protocol(self) -> Json:
        """The protocol on this dataset."""
        return self.whole.on[self.dataset]

    @property
    def searches(self) -> int:
        """M, searches per loss."""
        return int(self.protocol["search"]["searches"])

    @property
    def trials(self) -> int:
        """T, trials per search."""
        return int(self.protocol["search"]["trials"])

    @property
    def seeds(self) -> int:
        """Replicates per loss."""
        return int(self.protocol["final"]["seeds"])

    @property
    def folds(self) -> int:
        """K."""
        return int(self.protocol["folds"]["count"])

    @property
    def categories(self) -> list[str]:
        """The categories, in the order of the columns."""
        return list(self.protocol["categories"])

    @property
    def runners_up(self) -> int:
        """How many runners-up of a search are scored, at most."""
        return int(self.protocol["interval"].get("runners_up", 0))

    @property
    def baseline(self) -> str:
        """The loss with which the others are compared."""
        return str(self.study["baseline"])

    @property
    def primary(self) -> tuple[str, str]:
        """Category and metric of the verdicts."""
        return self.study["primary"]["category"], self.study["primary"]["metric"]

    @property
    def phases(self) -> list[Json]:
        """The phases of a fold run."""
        return list(self.protocol["phases"])

    @property
    def metrics(self) -> list[str]:
        """The scores of a record, in the order of the columns."""
        further = self.protocol.get("scores") or {}
        names = list(FIXED_METRICS)
        for option in ("recall_at", "precision_at"):
            names += [f"{option}_{k}" for k in further.get(option, ())]
        return names + [option for option in ("ndcg_at_r", "nmi") if further.get(option)]

    @property
    def constant(self) -> bool:
        """Whether the pooled features of untrained models have nothing random in them."""
        trunk = self.protocol["recipe"]["trunk"]
        return trunk["weights"] is not None or bool(trunk.get("frozen"))

    def loss(self, label: str) -> Json:
        """The loss of a label."""
        return next(loss for loss in self.study["losses"] if loss["label"] == label)

    def replicates(self, number: int) -> list[int]:
        """The numbers of the replicates of one search: the searches take turns."""
        return [index for index in range(self.seeds) if index % self.searches == number]

    def space(self, label: str) -> Json:
        """Hyper-parameter → range: the shared ones, then the loss's own."""
        loss = self.loss(label)
        every = {**self.protocol["search"]["shared"], **loss["spaces"].get(self.dataset, loss["space"])}
        second = len(self.phases) > 1
        return {name: bounds for name, bounds in every.items() if second or not name.startswith("followup_")}

    def published(self, label: str) -> Json:
        """The published setting with which a search begins; empty where it begins without one."""
        stated = self.loss(label)["published"]
        if stated is None:
            return {}
        return {name: stated.get(name, middle_of(bounds)) for name, bounds in self.space(label).items()}

    def search_key(self, label: str, number: int) -> str:
        """The digest of one search."""
        return self._search_keys[label, number]

    @cached_property
    def _search_keys(self) -> dict[tuple[str, int], str]:
        every = [(label, number) for label in self.whole.labels for number in range(self.searches)]
        return {pair: self._search_key(*pair) for pair in every}

    def _search_key(self, label: str, number: int) -> str:
        rule = self.protocol["search"]
        own = {name: rule[name] for name in ("sampler", "startup_trials", "startup", "round", "units") if name in rule}
        run = self.run(label, number, stage="search", index=0, fold=0, knobs={})
        parts = {"space": self.space(label), "search": own, "run": run, "published": self.published(label)}
        return sha256_of(parts)

    def run(
        self,
        label: str,
        number: int,
        *,
        stage: str,
        index: int,
        fold: int | None,
        knobs: Mapping[str, Any],
        phases: Sequence[Json] | None = None,
    ) -> Json:
        """The spec of one run; that of an untrained model under the label `untrained`."""
        trained = label != UNTRAINED
        own = self._planned if trained else []
        return {
            "results_version": VERSION,
            "data": self.data,
            "dataset": self.dataset,
            "stage": stage,
            "index": index,
            "search": number,
            "fold": fold,
            "folds": self._fold_rule(number),
            "loss": self._named(label) if trained else None,
            "knobs": dict(knobs),
            "recipe": self._placeless["recipe"],
            "batch": self.protocol["batches"][self.loss(label)["family"] if trained else "pairs"],
            "dims": self.protocol["embedding_dim"] * (self.folds if fold is None else 1),
            "phases": list(own if phases is None else phases),
            "root": self.protocol["seed"],
            "sources": self._sources(label),
        }

    def score(self, models: Sequence[str], evaluation: str) -> str:
        """The id of the score of some models."""
        spec = {
            "results_version": VERSION,
            "test": self.test,
            "models": list(models),
            "evaluation": evaluation,
            "scores": self.protocol.get("scores"),
        }
        return sha256_of(spec)

    @property
    def compared(self) -> Json:
        """The claims that are part of the plan's digest."""
        claims = {name: self.study[name] for name in ("baseline", "primary", "smallest_difference")}
        pairs = {} if self.study["compare"] == "baseline" else {"compare": self.study["compare"]}
        return {**claims, **pairs, "seeds": self.seeds}

    @property
    def claims(self) -> Json:
        """What an opening or a registration holds as the claims."""
        protocol, search = self.protocol, self.protocol["search"]
        chosen: Json = {} if search.get("select", "best") == "best" else {"select": search["select"]}
        rules = {"interval": protocol["interval"], "epoch": protocol["epoch"], "categories": sorted(self.categories)}
        chosen |= {"default_rows": True} if self.study.get("default_rows") else {}
        chosen |= {"sweep": sweep} if (sweep := self.study.get("sweep") or {}).get("test") else {}
        sets = {"same": sorted(self.study["same"]), "complete": protocol["final"]["complete"]}
        return {**self.compared, **rules, **chosen, **sets, "searches": self.searches, "trials": self.trials}

    @cached_property
    def plan(self) -> str:
        """The digest of the frozen plan."""
        protocol = {name: value for name, value in self._placeless.items() if name not in ("summary", "assumed")}
        labels = [*self.whole.labels, UNTRAINED]
        return sha256_of(
            {
                "version": VERSION,
                "protocol": protocol,
                "losses": self.study["losses"],
                "sources": {label: self._sources(label) for label in labels},
                **self.compared,
                "dataset": self.dataset,
                "trainval": self.data,
                "test": self.test,
            }
        )

    @cached_property
    def _placeless(self) -> Json:
        """The protocol without the place that weights come from, which is no part of an id."""
        trunk = self.protocol["recipe"]["trunk"]
        if trunk["weights"] is None:
            return self.protocol
        trunk = {**trunk, "weights": {**trunk["weights"], "source": None}}
        return {**self.protocol, "recipe": {**self.protocol["recipe"], "trunk": trunk}}

    @property
    def _planned(self) -> list[Json]:
        first, *later = self.phases
        return [{**first, "first_evaluation": self.protocol["first_evaluation"]}, *later]

    def _fold_rule(self, number: int) -> Json:
        rule: Json = self.protocol["folds"]
        if number == 0 or rule["kind"] != "shuffled":
            return rule
        return {**rule, "seed": seed_of(rule["seed"], "folds", "search", number)}

    def _named(self, label: str) -> Json:
        loss = self.loss(label)
        return {name: loss[name] for name in ("label", "address", "distance")}

    def _sources(self, label: str) -> Json:
        """The sources of classes by address that a training uses."""
        used = [choice["address"] for choice in self.study["datasets"] if choice["name"] == self.dataset]
        used.append(self.protocol["recipe"]["trunk"]["name"])
        used += re.split(r"[()]", self.loss(label)["address"]) if label != UNTRAINED else []  # `wrapper(name)` is two
        return {address: source for address, source in self.study["sources"].items() if address in used}


def middle_of(bounds: Any) -> float | int | str:
    """The value halfway through a range, on its scale; of a choice the first option; a fixed value itself."""
    if not isinstance(bounds, dict):
        return bounds  # type: ignore[no-any-return]
    ((kind, ends),) = bounds.items()
    if kind == "choice":
        return ends[0]  # type: ignore[no-any-return]
    low, high = ends
    if kind in ("log_uniform", "log_int_uniform"):
        center = math.sqrt(low) * math.sqrt(high)
        return round(center) if kind == "log_int_uniform" else center
    return (int(low) + int(high)) // 2 if kind == "int_uniform" else low / 2 + high / 2


def place_of(bounds: Any, value: Any) -> float | str:
    """Where a value is in its range, in [0, 1] on its scale; an option by itself, a fixed value at 0."""
    if isinstance(bounds, dict) and "choice" in bounds:
        return str(value)
    if not isinstance(bounds, dict) or isinstance(value, str):
        return 0.0
    ((kind, (low, high)),) = bounds.items()
    if kind.startswith("log"):
        return math.log(value / low) / math.log(high / low)
    return float((value - low) / (high - low))
