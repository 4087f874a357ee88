"""Values of a protocol that must fit each other: one fault is one problem, at its line, with its code."""

from __future__ import annotations

import pytest
from homes import inspected, marks

from realitycheck.check.rules import protocol_rules
from realitycheck.protocol.model import Protocol, Scores
from realitycheck.protocol.read import read_protocol, read_study
from realitycheck.search.samplers.menu import MENU as SAMPLERS

FAULTS = [
    # old text, new text, line, place, code
    ("protocol: tiny", "protocol: large", 1, "protocol", "name-not-file"),
    ("startup_trials: 3", "startup_trials: 9", 36, "search.startup_trials", "startup-trials-range"),
    ("round: 2", "round: 7", 37, "search.round", "round-range"),  # larger than the start-up, too, but that is one fault
    ("kind: blocks", "kind: hold_out", 5, "folds.count", "fold-count"),
    ("count: 4, kind: blocks", "count: 1, kind: blocks", 5, "folds.count", "fold-count"),
    ("categories: [aggregate, complete]", "categories: [complete, complete]", 41, "categories.1", "category-duplicate"),
    ("- {name: normal", "- {name: followup", 28, "phases.0.name", "phase-order"),
    ("- name: followup", "- name: normal", 29, "phases.1.name", "phase-order"),
    ("    evaluate_every: 10", "    evaluate_every: 30", 31, "phases.1.evaluate_every", "evaluation-range"),
    (
        "pairs: {classes: 4, per_class: 2}",
        "pairs: {classes: 4, per_class: 1}",
        24,
        "batches.pairs.per_class",
        "batch-per-class",
    ),
    (
        "epoch: pass",
        "epoch: pass\non: {sop: {batches: {pairs: {classes: 4, per_class: 1}, proxies: {classes: 4, per_class: 1}}}}",
        27,
        "on.sop.batches.pairs.per_class",
        "batch-per-class",
    ),
    (
        "epoch: pass",
        "epoch: pass\non: {sop: {shared: {followup_trunk_lr_scale: 0.1}}}",
        27,
        "on.sop.shared.followup_embedder_lr_scale",
        "override-shared",
    ),
    (
        "epoch: pass",
        "epoch: pass\non: {sop: {shared: {followup_trunk_lr_scale: 2, followup_embedder_lr_scale: 1}}}",
        27,
        "on.sop.shared.followup_trunk_lr_scale",
        "rate-range",
    ),
    ("count: 4, kind: blocks", "count: 20000, kind: blocks", 35, "search.trials", "runs-range"),
    (
        "pairs: {classes: 4, per_class: 2}",
        "pairs: {classes: 4, per_class: 5000}",
        24,
        "batches.pairs.per_class",
        "batch-range",
    ),
    # the recipe
    ("loss: {name: adam,", "loss: {eps: 1.0, name: sgd,", 18, "recipe.optimizers.loss.eps", "epsilon-not-allowed"),
    ("name: convnet", "name: covnet", 8, "recipe.trunk.name", "trunk-unknown"),
    ("name: convnet", "name: 'my lab:Net'", 8, "recipe.trunk.name", "address-invalid"),
    (
        "channels: 8}",
        "channels: 8, weights: {sha256: '01234567'}}",
        8,
        "recipe.trunk.weights.source",
        "weights-source-missing",
    ),
    ("image_size: 28", "image_size: 28\n  resize: 27", 8, "recipe.resize", "resize-range"),
    ("image_size: 28", "image_size: 28\n  resize: 32", 15, "recipe.augment.shift", "shift-range"),
    (
        "shift: 2, flip: 0.5",
        "shift: 0, flip: 0.5, crop: {scale: [0.5, 0.2], ratio: [1, 1]}",
        14,
        "recipe.augment.crop.scale",
        "range-reversed",
    ),
    (
        "shift: 2, flip: 0.5",
        "shift: 0, flip: 0.5, crop: {scale: [0.5, 1], ratio: [2, 1]}",
        14,
        "recipe.augment.crop.ratio",
        "range-reversed",
    ),
    (
        "shift: 2, flip: 0.5",
        "shift: 0, flip: 0.5, crop: {scale: [0.5, 2], ratio: [1, 1]}",
        14,
        "recipe.augment.crop.scale",
        "crop-range",
    ),
    ("kind: blocks, seed: 0", "kind: blocks, seed: 0, share: 0.8", 5, "folds.share", "fold-share"),
    # rates
    ("shared: {", "shared: {margin: 1, ", 39, "search.shared.margin", "rate-unknown"),
    ("0.1, followup", "{choice: [0.1, 0.2]}, followup", 39, "search.shared.followup_trunk_lr_scale", "rate-kind"),
    ("0.1, followup", "1.1, followup", 39, "search.shared.followup_trunk_lr_scale", "rate-range"),
    ("0.1, followup", "{uniform: [0.1, 2]}, followup", 39, "search.shared.followup_trunk_lr_scale", "rate-range"),
    ("0.1, followup", "0, followup", 39, "search.shared.followup_trunk_lr_scale", "rate-range"),
    ("shared: {", "shared: {trunk_lr: 1e-3, ", 16, "recipe.optimizers.trunk.lr", "rate-duplicate"),
    ("trunk: {name: adam, lr: 1e-4", "trunk: {name: adam, lr: null", 16, "recipe.optimizers.trunk.lr", "rate-missing"),
    ("followup_trunk_lr_scale: 0.1, ", "", 39, "search.shared.followup_trunk_lr_scale", "rate-scale-missing"),
    # scores
    ("final:", "scores: {}\nfinal:", 40, "scores.recall_at", "scores-empty"),
    ("final:", "scores: {nmi: false}\nfinal:", 40, "scores.recall_at", "scores-empty"),
    ("final:", "scores: {recall_at: []}\nfinal:", 40, "scores.recall_at", "scores-empty"),
    ("final:", "scores: {recall_at: [1, 4, 2]}\nfinal:", 40, "scores.recall_at.2", "neighbours-order"),
    ("final:", "scores: {recall_at: [1, 4, 4]}\nfinal:", 40, "scores.recall_at.2", "neighbours-order"),
    ("final:", "scores: {recall_at: [0, 1]}\nfinal:", 40, "scores.recall_at.0", "value-range"),
    (
        "final:",
        "evaluations: ['foundation:vit-0123456789abcdef']\nfinal:",
        40,
        "evaluations.0",
        "evaluation-foundation",
    ),
    # single datasets
    ("final:", "on: {sopp: {}}\nfinal:", 40, "on.sopp", "dataset-unknown"),
    (
        "final:",
        "on: {sop: {scores: {recall_at: [10, 1]}}}\nfinal:",
        40,
        "on.sop.scores.recall_at.1",
        "neighbours-order",
    ),
    ("final:", "on: {sop: {scores: {recall_at: [1, ten]}}}\nfinal:", 40, "on.sop.scores.recall_at.1", "type-wrong"),
    ("final:", "on: {sop: {trunk: {name: resnet5}}}\nfinal:", 40, "on.sop.trunk.name", "trunk-unknown"),
    (
        "final:",
        "on: {sop: {phases: [{name: normal, cap: 4, evaluate_every: 5, patience: 1}]}}\nfinal:",
        40,
        "on.sop.phases.0.evaluate_every",
        "evaluation-range",
    ),
    # what is assumed
    ("final:", "assumed: [search.trials, phases.1.cap, search.trails]\nfinal:", 40, "assumed.2", "assumed-unknown"),
]


@pytest.mark.parametrize(("old", "new", "line", "where", "code"), FAULTS, ids=lambda each: str(each)[:40])
def test_one_fault_is_one_problem(home, old, new, line, where, code):
    home.replace(home.protocol, old, new)
    assert marks(inspected(home.study)) == [(line, where, code)]


def test_a_valid_study_has_no_problem(home):
    assert inspected(home.study) == ()


def test_an_ensemble_needs_folds(home):
    home.replace(home.protocol, "count: 4, kind: blocks", "count: 1, kind: hold_out")
    home.replace(home.protocol, "[aggregate, complete]", "[ensemble, complete]")
    assert marks(inspected(home.study)) == [(41, "categories", "category-needs-folds")]


def test_scales_of_a_second_phase_that_there_is_not(home):
    text = home.protocol.read_text()
    start, end = text.index("  - name: followup"), text.index("search:")
    home.protocol.write_text(text[:start] + text[end:])
    assert marks(inspected(home.study)) == [
        (35, "search.shared.followup_embedder_lr_scale", "rate-scale-unused"),
        (35, "search.shared.followup_trunk_lr_scale", "rate-scale-unused"),
    ]


def test_a_frozen_trunk_sees_fixed_views_and_does_not_learn(home):
    home.replace(home.protocol, "channels: 8", "channels: 8, frozen: true")
    home.replace(home.protocol, "trunk: {name: adam, lr: 1e-4", "trunk: {name: adam, lr: null")
    home.replace(home.protocol, "shared: {", "shared: {trunk_lr: 1e-3, ")
    assert marks(inspected(home.study)) == [
        (13, "recipe.batch_norm", "frozen-batch-norm"),
        (14, "recipe.augment.shift", "frozen-augmentation"),
        (39, "search.shared.trunk_lr", "frozen-rate"),
    ]


def test_whole_images_are_not_stretched(home):
    home.replace(home.protocol, "image_size: 28", "image_size: 28\n  resize: 32\n  fit: stretch")
    home.replace(home.protocol, "shift: 2", "shift: 0")
    assert marks(inspected(home.study)) == [(9, "recipe.fit", "fit-resize")]


def test_a_frozen_trunk_needs_an_embedder_and_no_operations(home):
    home.replace(home.protocol, "channels: 8", "channels: 8, frozen: true")
    home.replace(home.protocol, "batch_norm: train", "batch_norm: frozen")
    home.replace(home.protocol, "shift: 2, flip: 0.5", "shift: 0, flip: 0, rand_augment: {operations: 3, magnitude: 9}")
    home.replace(home.protocol, "embedder_init: fan_in_uniform", "embedder_init: no_embedder")
    assert marks(inspected(home.study)) == [
        (11, "recipe.embedder_init", "no-embedder-frozen"),
        (14, "recipe.augment.rand_augment", "frozen-augmentation"),
    ]


def test_without_an_embedder_the_trunk_says_the_dimensions_and_there_is_no_rate(home):
    home.replace(home.protocol, "embedder_init: fan_in_uniform", "embedder_init: no_embedder")
    home.replace(home.protocol, "name: convnet, channels: 8", "name: resnet50")
    home.replace(home.protocol, "embedder: {name: adam, lr: 1e-4", "embedder: {name: adam, lr: null")
    home.replace(home.protocol, "shared: {", "shared: {embedder_lr: 1e-3, ")
    home.replace(home.protocol, "count: 4, kind: blocks", "count: 1, kind: hold_out")
    assert marks(inspected(home.study)) == [
        (22, "embedding_dim", "embedding-dim-trunk"),
        (39, "search.shared.embedder_lr", "no-embedder-rate"),
    ]


def test_a_trunk_that_is_frozen_on_one_dataset(home):
    home.replace(home.protocol, "final:", "on: {sketches: {trunk: {name: convnet, channels: 8, frozen: true}}}\nfinal:")
    found = inspected(home.study)
    assert {problem.code for problem in found} == {"frozen-batch-norm", "frozen-augmentation"}
    assert {(problem.line, problem.where) for problem in found} == {(3, "protocol")}


class TestTrials:
    """A round, its start-up trials, and the sampler."""

    @staticmethod
    def found(home, *, sampler: str, startup: int, size: int) -> list[tuple[int, str, str]]:
        home.replace(home.protocol, "sampler: gp", f"sampler: {sampler}")
        home.replace(home.protocol, "startup_trials: 3", f"startup_trials: {startup}")
        home.replace(home.protocol, "round: 2", f"round: {size}")
        return marks(inspected(home.study))

    @pytest.mark.parametrize(("installed", "problems"), [(True, 0), (False, 1)])
    def test_a_sampler_whose_package_is_absent_is_refused(self, home, monkeypatch, installed, problems):
        monkeypatch.setattr(protocol_rules, "find_spec", lambda module: object() if installed else None)
        home.replace(home.protocol, "sampler: gp", "sampler: botorch")
        found = [problem.code for problem in inspected(home.study)]
        assert found == ["sampler-package-missing"] * problems

    @pytest.mark.parametrize("sampler", [name for name, entry in SAMPLERS.items() if entry.learns and not entry.extra])
    @pytest.mark.parametrize(("startup", "size"), [(3, 4), (0, 1)])
    def test_a_sampler_that_learns_starts_with_a_full_round(self, home, sampler, startup, size):
        """Its slots beyond the start would be proposed by a model that has seen nothing."""
        found = self.found(home, sampler=sampler, startup=startup, size=size)
        assert found == [(36, "search.startup_trials", "startup-trials-range")]

    @pytest.mark.parametrize(
        ("sampler", "startup", "size"), [("gp", 4, 4), ("gp", 6, 1), ("random", 1, 6), ("random", 0, 6)]
    )
    def test_rounds_that_fit(self, home, sampler, startup, size):
        assert self.found(home, sampler=sampler, startup=startup, size=size) == []


class TestSearches:
    """`search.searches`: an option, 1 where it is not given, and a divisor of the number of replicates."""

    @pytest.mark.parametrize("searches", [1, 3])
    def test_replicates_are_divided_evenly(self, home, searches):
        home.replace(home.protocol, "  trials: 6", f"  trials: 6\n  searches: {searches}")
        assert inspected(home.study) == ()
        assert read_study(home.study).study.protocol.search.searches == searches

    @pytest.mark.parametrize(("seeds", "searches"), [(3, 2), (2, 4)])
    def test_an_uneven_division_is_out_of_range(self, home, seeds, searches):
        home.replace(home.protocol, "  trials: 6", f"  trials: 6\n  searches: {searches}")
        home.replace(home.protocol, "seeds: 3", f"seeds: {seeds}")
        assert marks(inspected(home.study)) == [(41, "final.seeds", "seeds-not-multiple")]

    def test_a_key_that_is_left_out_is_written_with_its_value(self, home):
        unsaid = read_protocol(home.protocol).value
        home.replace(home.protocol, "  trials: 6", "  trials: 6\n  searches: 1")
        said = read_protocol(home.protocol).value
        assert unsaid.model_dump(mode="json")["search"]["searches"] == 1
        assert said == unsaid and said.model_dump_json() == unsaid.model_dump_json()

    def test_several_searches_are(self, home):
        home.replace(home.protocol, "  trials: 6", "  trials: 6\n  searches: 3")
        protocol = read_protocol(home.protocol).value
        assert protocol.model_dump(mode="json")["search"]["searches"] == 3
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol


class TestScores:
    """What a protocol asks for beside the scores of every record."""

    @staticmethod
    def asked(home, text: str) -> Protocol:
        home.protocol.write_text(home.protocol.read_text() + text)
        assert inspected(home.study) == ()
        return read_protocol(home.protocol).value

    def test_nothing_is_asked_for(self, home):
        protocol = self.asked(home, "")
        assert protocol.metrics == ("map_at_r", "r_precision", "precision_at_1")
        assert protocol.model_dump(mode="json")["scores"] is None

    def test_recall_and_nmi_follow_the_three_scores(self, home):
        protocol = self.asked(home, "scores: {recall_at: [1, 10], nmi: true}\n")
        assert protocol.metrics[3:] == ("recall_at_1", "recall_at_10", "nmi")
        assert protocol.model_dump(mode="json")["scores"] == {"recall_at": [1, 10], "nmi": True}
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol

    def test_a_dataset_may_ask_for_others(self, home):
        on = "on: {sop: {scores: {recall_at: [1, 1000], nmi: true}}}\n"
        protocol = self.asked(home, f"scores: {{recall_at: [1, 2]}}\n{on}")
        assert protocol.of("sop").scores == Scores(recall_at=(1, 1000), nmi=True)
        assert protocol.of("cub200").scores == protocol.scores == Scores(recall_at=(1, 2))
        assert protocol.of("sop").recipe == protocol.recipe
