"""A study, its losses and its spaces against the menus and the protocol: one fault is one problem."""

from __future__ import annotations

import pytest
from homes import inspected, marks

from realitycheck.check.rules.loss_rules import batches_serve_the_loss

STUDY_FAULTS = [
    # old text, new text, line, place, code
    ("study: mine", "study: other", 1, "study", "name-not-file"),
    ("baseline: contrastive", "baseline: contrastiv", 19, "baseline", "baseline-unknown"),
    ("baseline: contrastive", "same: [softmax, circl]\nbaseline: contrastive", 19, "same.1", "same-unknown"),
    ("  sketches: {}", "  sketchs: {}", 5, "datasets.sketchs", "dataset-unknown"),
    ("dataset: folder", "dataset: foldr", 6, "datasets.birds.dataset", "dataset-unknown"),
    ("  sketches: {}", "  sketches: {root: /data}", 5, "datasets.sketches.root", "root-not-allowed"),
    ("  sketches: {}", "  sketches: {exclude: [x]}", 5, "datasets.sketches.exclude", "exclude-not-allowed"),
    (", root: images/birds", "", 6, "datasets.birds.root", "root-missing"),
    ("category: complete", "category: ensemble", 20, "primary.category", "category-not-measured"),
    # losses
    ("loss: normalized_softmax", "loss: normalised_softmax", 10, "losses.softmax.loss", "loss-unknown"),
    ("losses:CircleLoss", "losses", 15, "losses.circle.loss", "loss-unknown"),
    ("losses:CircleLoss", "losses:9Loss", 15, "losses.circle.loss", "address-invalid"),
    ("    distance: cosine\n", "", 14, "losses.circle.distance", "distance-missing"),
    ("    family: pairs\n", "", 14, "losses.circle.family", "family-missing"),
    (
        "    space: {m: {uniform: [0, 1]}, gamma: {log_uniform: [1, 512]}}\n",
        "",
        14,
        "losses.circle.space",
        "space-missing",
    ),
    (
        "  contrastive: {}",
        "  contrastive: {distance: euclidean}",
        8,
        "losses.contrastive.distance",
        "distance-not-allowed",
    ),
    ("  contrastive: {}", "  contrastive: {family: pairs}", 8, "losses.contrastive.family", "family-not-allowed"),
    ("  contrastive: {}", "  triplet: {}\n  contrastive: {}", 8, "losses.triplet.space", "space-missing"),
    ("  contrastive: {}", "  contrastive: {setting: paper}", 8, "losses.contrastive.setting", "setting-not-allowed"),
    ("loss: normalized_softmax", "loss: cross_batch_memory", 10, "losses.softmax.loss", "wrapper-empty"),
    ("loss: normalized_softmax", "loss: triplet(contrastive)", 10, "losses.softmax.loss", "wrapper-unknown"),
    ("loss: normalized_softmax", "loss: cross_batch_memory(arcface)", 10, "losses.softmax.loss", "wrapped-family"),
    # rates
    ("loss_lr: 1e-3", "loss_lr: -1", 13, "losses.softmax.space.loss_lr", "rate-range"),
    ("loss_lr: 1e-3", "loss_lr: fast", 13, "losses.softmax.space.loss_lr", "rate-kind"),
    ("loss_lr: 1e-3", "followup_loss_lr: 1e-3", 13, "losses.softmax.space.followup_loss_lr", "rate-not-scale"),
]


@pytest.mark.parametrize(("old", "new", "line", "where", "code"), STUDY_FAULTS, ids=lambda each: str(each)[:40])
def test_one_fault_is_one_problem(home, old, new, line, where, code):
    home.replace(home.study, old, new)
    assert marks(inspected(home.study)) == [(line, where, code)]


def test_problems_of_every_kind_come_together_in_order_of_lines(home):
    home.replace(home.study, "question: Which is best?", "question: &a Which is best?")
    home.replace(home.study, "  contrastive: {}", "  contrastiv: {}")
    home.replace(home.study, "smallest_difference: 0.5", "smallest_diference: none")
    assert marks(inspected(home.study)) == [
        (2, "question", "yaml-anchor"),
        (8, "losses.contrastiv", "loss-unknown"),
        (19, "baseline", "baseline-unknown"),
        (21, "smallest_diference", "key-unknown"),
    ]


def test_a_rate_of_the_spaces_is_positive(home):
    home.replace(home.spaces, "loss_lr: {log_uniform: [1e-6, 1]}", "loss_lr: {uniform: [0, 1]}")
    assert marks(inspected(home.study)) == [(6, "normalized_softmax.loss_lr", "rate-range")]


def test_a_shared_rate_is_in_no_space_of_a_loss(home):
    home.replace(home.protocol, "shared: {", "shared: {loss_lr: {log_uniform: [1e-6, 1]}, ")
    assert marks(inspected(home.study)) == [(13, "losses.softmax.space.loss_lr", "knob-shared")]


class TestSettings:
    """A search that begins with a published setting."""

    @pytest.fixture
    def first(self, home):
        home.replace(home.protocol, "trials: 6", "trials: 6\n  first: published")
        circle = home.study.read_text()
        start, end = circle.index("  circle:"), circle.index("baseline:")
        home.study.write_text(circle[:start] + circle[end:])
        return home

    def test_losses_of_the_menu_have_one(self, first):
        assert inspected(first.study) == ()

    def test_a_name_that_is_not_known(self, first):
        first.replace(first.study, "  contrastive: {}", "  contrastive: {setting: papper}")
        assert marks(inspected(first.study)) == [(8, "losses.contrastive.setting", "setting-unknown")]

    def test_a_loss_by_address_has_none(self, home):
        home.replace(home.protocol, "trials: 6", "trials: 6\n  first: published")
        assert marks(inspected(home.study)) == [(14, "losses.circle.setting", "setting-unknown")]

    def test_a_value_outside_of_its_range(self, first):
        """Musgrave et al. (2020) found a negative pos_margin on CUB; the space begins at 0."""
        first.replace(first.study, "  contrastive: {}", "  contrastive: {setting: musgrave_cub200}")
        assert marks(inspected(first.study)) == [(8, "losses.contrastive.setting", "setting-range")]


@pytest.mark.parametrize(("per_class", "expected"), [(1, ["batch-per-class"]), (2, [])])
def test_a_loss_that_needs_two_images_of_a_class(per_class, expected):
    """SupCon contrasts each image with the others of its class."""
    found = batches_serve_the_loss.check(per_class, of="pairs", family="pairs", name="sup_con")
    assert [fault.code for fault in found] == expected
    assert list(batches_serve_the_loss.check(1, of="proxies", family="pairs", name="sup_con")) == []
