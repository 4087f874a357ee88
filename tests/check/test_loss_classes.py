"""The losses of a study against their classes: knobs, one small batch, and a second phase."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from homes import inspected
from torch import Tensor, nn

from realitycheck.check import losses
from realitycheck.check.rules.base import rules_of
from realitycheck.losses.menu import MENU
from realitycheck.protocol.read import read_spaces

REPOSITORY = Path(__file__).parents[2]
QUICK = REPOSITORY / "protocols" / "quick.yaml"
NEWEST = max((REPOSITORY / "protocols" / "spaces").glob("v[0-9]*.yaml"), key=lambda path: int(path.stem[1:]))
SPACES = {
    loss: {
        knob: value if isinstance(value, int | float | str) else value.model_dump(mode="json")
        for knob, value in space.items()
    }
    for loss, space in read_spaces(NEWEST).value.items()
}
CIRCLE = "pytorch_metric_learning.losses:CircleLoss"


class Plain(nn.Module):
    """A loss of one knob."""

    def __init__(self, *, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.sum() * self.margin


class Proxies(nn.Module):
    """A loss with parameters, and with a knob that has a default."""

    def __init__(self, *, num_classes: int, embedding_dim: int, scale: float = 2.0) -> None:
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(num_classes, embedding_dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return (embeddings - self.proxies[labels]).square().mean()


class Vector(nn.Module):
    """Forgets to take the mean."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.sum(dim=1)


class Lost(Vector):
    """Always NaN."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.sum() * float("nan")


class CutOff(Vector):
    """Without a gradient."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.detach().sum()


class Child(Proxies):
    """Passes on what it does not know."""

    def __init__(self, *, extra: float, **rest: float) -> None:
        super().__init__(**rest)


class Fails(Vector):
    """Raises when it is called."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        raise RuntimeError("no positives")


class Crooked(torch.autograd.Function):
    """A step without a way back."""

    @staticmethod
    def forward(context, values: Tensor) -> Tensor:
        return values.sum()

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        raise RuntimeError("no way back")


class OneWay(Vector):
    """Has a value, and fails when its gradient is computed."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return Crooked.apply(embeddings)


class Idle(Proxies):
    """Has a parameter that it does not use."""

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.square().mean()


class Growing(nn.Module):
    """Has a buffer of the length of its knob, which may only decrease."""

    lower_in_followup = ("length",)

    def __init__(self, *, length: float) -> None:
        super().__init__()
        self.register_buffer("queue", torch.zeros(int(length)))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return embeddings.square().mean()


class Choosy(nn.Module):
    """Raises on what it is given."""

    def __init__(self, *, margin: float) -> None:
        raise ValueError("margin must be an even number")


class NoModule:
    """A class, but no loss."""


@pytest.fixture
def faults(tmp_path):
    """Place below the loss and code of each problem of one loss."""

    def found(name: str, space: dict, protocol: Path = QUICK) -> list[tuple[str, str]]:
        address = f"{__name__}:{name}" if name[0].isupper() else name
        face = {"distance": "cosine", "family": "pairs"} if ":" in address else {}
        study = {
            "study": "x",
            "question": "?",
            "protocol": str(protocol),
            "datasets": {"sketches": {}},
            "losses": {"x": {"loss": address, "space": space, **face}},
            "baseline": "x",
            "primary": {"category": "complete", "metric": "map_at_r"},
            "smallest_difference": 1,
        }
        path = tmp_path / "x.yaml"
        path.write_text(yaml.safe_dump(study))
        problems = inspected(path, rules=rules_of(losses))
        return [(problem.where.removeprefix("losses.x."), problem.code) for problem in problems]

    return found


@pytest.mark.parametrize(
    ("name", "space", "where", "code"),
    [
        ("Plain", {"margn": 0.5, "margin": 0.1}, "space.margn", "knob-unknown"),
        ("Plain", {}, "space.margin", "knob-missing"),
        ("Plain", {"margin": 0.5, "loss_lr": 0.1}, "space.loss_lr", "loss-rate-unused"),
        ("Proxies", {}, "space.loss_lr", "loss-rate-missing"),
        ("Proxies", {"num_classes": 3, "loss_lr": 0.1}, "space.num_classes", "knob-offered"),
        ("Child", {"extra": 1.0, "scales": 2.0, "loss_lr": 0.1}, "space.scales", "knob-unknown"),
        ("Choosy", {"margin": 0.5}, "loss", "loss-build"),
        ("NoModule", {}, "loss", "loss-not-module"),
        ("Plane", {}, "loss", "class-unknown"),
        ("Vector", {}, "loss", "loss-value"),
        ("Lost", {}, "loss", "loss-value"),
        ("CutOff", {}, "loss", "loss-detached"),
        ("Fails", {}, "loss", "loss-forward"),
        ("OneWay", {}, "loss", "loss-backward"),
        ("Idle", {"loss_lr": 0.1}, "loss", "parameter-detached"),
        ("contrastive", {"pos_margin": 0.0}, "space.neg_margin", "knob-missing"),
        (CIRCLE, {"gama": 80}, "space.gama", "knob-unknown"),
    ],
)
def test_a_loss_with_one_fault(faults, name, space, where, code):
    assert faults(name, space) == [(where, code)]


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("Plain", {"margin": 0.5}),
        ("Plain", {"margin": 0.5, "trunk_lr": 1e-3}),
        ("Proxies", {"loss_lr": 0.1}),
        ("Child", {"extra": 1.0, "scale": 3.0, "loss_lr": 0.1}),
        (CIRCLE, {"m": 0.4, "gamma": 80}),
        ("pytorch_metric_learning.losses:ArcFaceLoss", {"margin": 28.6, "scale": 64, "loss_lr": 0.1}),
        *((name, space) for name, space in SPACES.items() if not MENU[name].wraps),
        ("cross_batch_memory(contrastive)", SPACES["contrastive"] | SPACES["cross_batch_memory"]),
    ],
)
def test_a_loss_without_fault(faults, name, space):
    assert faults(name, space) == []


def test_a_rate_in_the_recipe_is_enough(faults, tmp_path):
    text = QUICK.read_text()
    assert text.count("loss: {name: adam, lr: null") == 1
    protocol = tmp_path / "quick.yaml"
    protocol.write_text(text.replace("loss: {name: adam, lr: null", "loss: {name: adam, lr: 0.1"))
    (tmp_path / "spaces").symlink_to(REPOSITORY / "protocols" / "spaces")
    assert faults("Proxies", {}, protocol) == []


def test_checking_a_loss_draws_no_random_numbers(faults):
    before = torch.random.get_rng_state()
    faults("Proxies", {"loss_lr": 0.1})
    assert torch.equal(torch.random.get_rng_state(), before)


TWO_PHASES = REPOSITORY / "protocols" / "warped2024.yaml"


@pytest.mark.parametrize(
    ("name", "space", "expected"),
    [
        ("Plain", {"margin": 0.5, "followup_margin": 0.1}, []),
        ("Plain", {"margin": 0.5, "followup_margin_scale": 0.1}, []),
        ("Plain", {"margin": 0.5, "followup_margn": 0.1}, [("space.followup_margn", "knob-unknown")]),
        ("Proxies", {"loss_lr": 0.1}, [("space.followup_loss_lr_scale", "loss-rate-missing")]),
        ("Proxies", {"loss_lr": 0.1, "followup_loss_lr_scale": 0.1}, []),
        ("Growing", {"length": 8, "followup_length": 4}, [("space.followup_length", "knob-not-scale")]),
        ("Growing", {"length": 8, "followup_length_scale": 2}, [("space.followup_length_scale", "knob-scale-range")]),
        ("Growing", {"length": 8, "followup_length_scale": 0.5}, [("loss", "loss-state")]),
    ],
)
def test_a_second_phase(faults, name, space, expected):
    assert faults(name, space, TWO_PHASES) == expected


SOFT_TRIPLE = {"scale": 20.0, "gamma": 0.1, "margin": 0.01, "regularizer": 0.2, "loss_lr": 0.1}


@pytest.mark.parametrize(
    ("name", "space", "expected"),
    [
        ("triplet", {"margin": "-36e"}, [("space.margin", "knob-not-number")]),
        ("triplet", {"margin": {"choice": [0.1, "o.2"]}}, [("space.margin", "knob-not-number")]),
        ("Proxies", {"loss_lr": "1e-3x"}, [("space.loss_lr", "knob-not-number")]),
        ("soft_triple", SOFT_TRIPLE | {"centers": -95e6}, [("space.centers", "knob-not-integer")]),
        ("soft_triple", SOFT_TRIPLE | {"centers": {"uniform": [1, 4]}}, [("space.centers", "knob-not-integer")]),
        ("soft_triple", SOFT_TRIPLE | {"centers": {"choice": [1, 2.5]}}, [("space.centers", "knob-not-integer")]),
        ("soft_triple", SOFT_TRIPLE | {"centers": {"choice": [1, 2]}}, []),
        (
            "soft_triple",
            SOFT_TRIPLE | {"centers": 1.5, "gamma": "0,1"},
            [("space.centers", "knob-not-integer"), ("space.gamma", "knob-not-number")],
        ),
    ],
)
def test_a_value_of_another_kind_than_the_constructor_takes_is_named(faults, name, space, expected):
    assert faults(name, space) == expected


def test_a_mistake_in_a_loss_of_the_menu_is_a_traceback(faults, monkeypatch):
    from realitycheck.losses.members.triplet import Triplet

    def mistaken(self, *, margin):
        raise AttributeError("a mistake of this package")

    monkeypatch.setattr(Triplet, "__init__", mistaken)
    with pytest.raises(AttributeError, match="mistake of this package"):
        faults("triplet", {"margin": 0.1})
