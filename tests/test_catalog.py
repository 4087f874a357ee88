"""Names become classes, and classes are built."""

import sys

import pytest
import torch
from torch import Tensor, nn

from realitycheck.catalog import (
    build_dataset,
    build_loss,
    build_trunk,
    credit,
    is_address,
    middle_knobs,
    resolve_dataset,
    resolve_loss,
    resolve_trunk,
)
from realitycheck.errors import InputError
from realitycheck.losses.menu import MENU
from realitycheck.protocol.model import DatasetChoice
from realitycheck.protocol.recipe import TrunkChoice
from realitycheck.protocol.space import Choice, IntUniform, LogUniform, Uniform

QUICK = "not a class"


class Plain(nn.Module):
    """A loss of one knob."""


class Proxies(nn.Module):
    """A loss with parameters, and with a knob that has a default."""

    def __init__(self, *, num_classes: int, embedding_dim: int, scale: float = 2.0) -> None:
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(num_classes, embedding_dim))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return (embeddings - self.proxies[labels]).square().mean()


class Child(Proxies):
    """Passes on what it does not know."""

    def __init__(self, *, extra: float, **rest: float) -> None:
        super().__init__(**rest)


def codes(call, *args, **options):
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    return [(problem.where, problem.code) for problem in caught.value.problems]


class TestResolve:
    def test_an_address_becomes_its_class(self):
        assert [each.__name__ for each in resolve_loss(f"{__name__}:Plain")] == ["Plain"]

    @pytest.mark.parametrize("name", sorted(MENU))
    def test_every_loss_of_the_menu_is_there(self, name):
        (found,) = resolve_loss(name)
        assert issubclass(found, nn.Module)

    def test_every_dataset_and_trunk_of_the_menu_is_there(self):
        for resolve, name in (
            (resolve_dataset, "sketches"),
            (resolve_dataset, "folder"),
            (resolve_trunk, "convnet"),
        ):
            assert isinstance(resolve(name), type)

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("contrastve", "loss-unknown"),
            ("no_such_lab.losses:Mine", "module-fails"),
            (f"{__name__}:Plane", "class-unknown"),
            (f"{__name__}:QUICK", "class-unknown"),
        ],
    )
    def test_what_is_not_there_is_refused(self, name, code):
        assert codes(resolve_loss, name) == [("", code)]

    def test_the_nearest_name_is_offered(self):
        with pytest.raises(InputError, match="Did you mean 'Plain'"):
            resolve_loss(f"{__name__}:Plane")

    def test_an_address_has_a_colon(self):
        assert is_address("my_lab.losses:Mine") and not is_address("contrastive")

    def test_a_module_that_fails_while_imported_is_reported_with_its_cause(self, tmp_path, monkeypatch):
        (tmp_path / "half_written.py").write_text("1 / 0\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(InputError, match="import half_written: ZeroDivisionError: division by zero"):
            resolve_loss("half_written:Loss")
        assert "half_written" not in sys.modules


class TestDatasets:
    def test_a_dataset_in_a_folder_has_a_root(self, tmp_path):
        for name in ("blue", "red"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "one.png").write_bytes(b"not opened before it is needed")
        choice = DatasetChoice(name="colours", address="folder", root=str(tmp_path))
        assert build_dataset(choice).classes == ("blue", "red")

    def test_a_dataset_that_brings_its_images_asks_for_credit(self):
        choice = DatasetChoice(name="sketches", address="sketches", root=None)
        assert len(build_dataset(choice).classes) == 345
        assert "CC BY 4.0" in credit("sketches")


class TestTrunks:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, [("channels", "trunk-option-missing")]),
            ({"channels": 4, "model": "x"}, [("model", "trunk-option-not-allowed")]),
            ({"model": "x"}, [("channels", "trunk-option-missing"), ("model", "trunk-option-not-allowed")]),
        ],
    )
    def test_options_are_those_that_a_trunk_takes(self, options, expected):
        assert codes(build_trunk, TrunkChoice(name="convnet", **options), in_channels=1) == expected


class TestBuild:
    def test_a_loss_gets_what_it_asks_for(self):
        loss = build_loss(f"{__name__}:Child", num_classes=5, embedding_dim=7, seed=0, knobs={"extra": 1.0})
        assert loss.proxies.shape == (5, 7)

    def test_a_foreign_loss_may_say_embedding_size(self):
        address = "pytorch_metric_learning.losses:NormalizedSoftmaxLoss"
        loss = build_loss(address, num_classes=5, embedding_dim=7, seed=0, knobs={"temperature": 0.1})
        assert sorted(loss.W.shape) == [5, 7]

    def test_the_middle_is_taken_on_the_scale_of_the_range(self):
        space = {
            "linear": Uniform(uniform=(-1.0, 2.0)),
            "ratio": LogUniform(log_uniform=(1e-6, 1.0)),
            "whole": IntUniform(int_uniform=(2, 5)),
            "word": Choice(choice=("hard", "soft")),
            "fixed": 7,
        }
        expected = {"linear": 0.5, "ratio": pytest.approx(1e-3), "whole": 3, "word": "hard", "fixed": 7}
        assert middle_knobs(space) == expected
