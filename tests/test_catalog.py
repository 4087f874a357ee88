"""Names become classes, and the knobs of a study are held to what the classes take."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from realitycheck.catalog import (
    build_dataset,
    build_loss,
    credit,
    middle_knobs,
    resolve_dataset,
    resolve_loss,
    resolve_trunk,
)
from realitycheck.check.losses import knob_problems
from realitycheck.check.names import study_problems, study_warnings
from realitycheck.errors import InputError
from realitycheck.losses.menu import MENU
from realitycheck.protocol.model import DatasetChoice, LossChoice
from realitycheck.protocol.parse import read_protocol, read_spaces, read_study
from realitycheck.protocol.space import Choice, IntUniform, LogUniform, Uniform

REPOSITORY = Path(__file__).parents[1]
QUICK = read_protocol(REPOSITORY / "protocols" / "quick.yaml").value
NEWEST = max((REPOSITORY / "protocols" / "spaces").glob("v*.yaml"), key=lambda path: int(path.stem[1:]))
SPACES = read_spaces(NEWEST).value


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


class Choosy(nn.Module):
    """Raises on what it is given."""

    def __init__(self, *, margin: float) -> None:
        raise ValueError("margin must be an even number")


class NoModule:
    """A class, but no loss."""


def faults(name: str, space: dict, protocol=QUICK) -> list[tuple[str, str]]:
    address = f"{__name__}:{name}" if name[0].isupper() else name
    choice = LossChoice(label="x", address=address, distance="cosine", family="pairs", space=space)
    return knob_problems(choice, protocol, dataset="sketches", refused=())


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
        ("name", "phrase"),
        [
            ("contrastve", "must be a loss of the menu; got 'contrastve'. Did you mean 'contrastive'?"),
            ("no_such_lab.losses:Mine", "ModuleNotFoundError: No module named 'no_such_lab'"),
            (f"{__name__}:Plane", "must be a class of test_catalog; got 'Plane'. Did you mean 'Plain'?"),
            (f"{__name__}:QUICK", "must be a class of test_catalog; got 'QUICK'"),
        ],
    )
    def test_what_is_not_there_is_told(self, name, phrase):
        with pytest.raises(InputError) as caught:
            resolve_loss(name)
        assert phrase in str(caught.value)

    def test_a_module_that_breaks_while_imported_is_told_with_its_cause(self, tmp_path, monkeypatch):
        (tmp_path / "half_written.py").write_text("1 / 0\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(InputError, match="ZeroDivisionError: division by zero from half_written"):
            resolve_loss("half_written:Loss")
        assert "half_written" not in sys.modules


class TestDatasets:
    def test_a_dataset_in_a_folder_is_told_its_root(self, tmp_path):
        for name in ("blue", "red"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "one.png").write_bytes(b"not opened before it is needed")
        choice = DatasetChoice(name="colours", address="folder", root=str(tmp_path))
        assert build_dataset(choice).classes == ("blue", "red")

    def test_a_dataset_that_brings_its_images_asks_for_credit(self):
        choice = DatasetChoice(name="sketches", address="sketches", root=None)
        assert len(build_dataset(choice).classes) == 345
        assert "CC BY 4.0" in credit("sketches")


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


class TestKnobs:
    @pytest.mark.parametrize(
        ("name", "space", "knob", "phrase"),
        [
            (
                "Plain",
                {"margn": 0.5, "margin": 0.1},
                "margn",
                "must be a knob of test_catalog:Plain; got 'margn'. Did",
            ),
            ("Plain", {}, "margin", "must be given, test_catalog:Plain has no default"),
            (
                "Plain",
                {"margin": 0.5, "loss_lr": 0.1},
                "loss_lr",
                "must be left out, this loss has no parameters",
            ),
            ("Proxies", {}, "loss_lr", "must be given, this loss has parameters of its own"),
            ("Proxies", {"num_classes": 3, "loss_lr": 0.1}, "num_classes", "must be left to the house"),
            ("Child", {"extra": 1.0, "scales": 2.0, "loss_lr": 0.1}, "scales", "Did you mean 'scale'?"),
            ("Choosy", {"margin": 0.5}, "", "ValueError: margin must be an even number"),
            ("NoModule", {}, "", "must be an nn.Module; got NoModule"),
            ("contrastive", {"pos_margin": 0.0}, "neg_margin", "must be given"),
            ("pytorch_metric_learning.losses:CircleLoss", {"gama": 80}, "gama", "Did you mean 'gamma'?"),
        ],
    )
    def test_a_space_with_one_fault(self, name, space, knob, phrase):
        (fault,) = faults(name, space)
        assert fault[0] == knob
        assert phrase in fault[1]

    @pytest.mark.parametrize(
        ("name", "space"),
        [
            ("Plain", {"margin": 0.5}),
            ("Plain", {"margin": 0.5, "trunk_lr": 1e-3}),
            ("Proxies", {"loss_lr": 0.1}),
            ("Child", {"extra": 1.0, "scale": 3.0, "loss_lr": 0.1}),
            ("pytorch_metric_learning.losses:CircleLoss", {"m": 0.4, "gamma": 80}),
            ("pytorch_metric_learning.losses:ArcFaceLoss", {"margin": 28.6, "scale": 64, "loss_lr": 0.1}),
            *((name, space) for name, space in SPACES.items() if not MENU[name].wraps),
            ("cross_batch_memory(contrastive)", SPACES["contrastive"] | SPACES["cross_batch_memory"]),
        ],
    )
    def test_a_space_without_fault(self, name, space):
        assert faults(name, space) == []

    def test_a_rate_in_the_recipe_is_enough(self):
        protocol = QUICK.model_dump(mode="python")
        protocol["recipe"]["optimizers"]["loss"]["lr"] = 0.1
        assert faults("Proxies", {}, type(QUICK).model_validate(protocol)) == []

    def test_looking_at_a_loss_draws_no_random_numbers(self):
        before = torch.random.get_rng_state()
        faults("Proxies", {"loss_lr": 0.1})
        assert torch.equal(torch.random.get_rng_state(), before)


@pytest.fixture
def home(tmp_path):
    for folder in ("protocols", "studies"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("demo", "sketches"))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "phrase"), [("Vector", "one finite number"), ("Lost", "one finite number"), ("CutOff", "cut off from")]
)
def test_a_loss_that_cannot_be_trained_is_found_by_calling_it_once(name, phrase):
    ((knob, says),) = faults(name, {})
    assert (knob, phrase in says) == ("", True)


class TestStudies:
    @pytest.mark.parametrize("path", sorted((REPOSITORY / "studies").glob("*.yaml")), ids=lambda path: path.stem)
    def test_the_studies_of_the_house_are_right(self, path):
        read = read_study(path)
        assert study_problems(read) == []
        assert study_warnings(read) == []

    def test_faults_of_a_study_are_told_with_lines(self, home):
        (home / "studies" / "mine.yaml").write_text(
            "study: mine\nquestion: Which?\nprotocol: quick\ndatasets:\n  data: {dataset: 'gone:Data'}\n"
            "losses:\n  contrastive: {}\n  triplet:\n    space:\n      margn: 0.1\n      margin: 0.1\n"
            "baseline: triplet\nprimary: {category: complete, metric: map_at_r}\nsmallest_difference: 1\n"
        )
        found = [(each.line, each.where) for each in study_problems(read_study(home / "studies" / "mine.yaml"))]
        assert sorted(found) == [(5, "datasets.data"), (10, "losses.triplet.space.margn")]

    def test_a_fault_in_the_spaces_is_told_with_their_file_and_line(self, home):
        spaces = home / "protocols" / "spaces" / "v1.yaml"
        spaces.write_text(spaces.read_text().replace("pos_margin:", "positive_margin:"))
        line = 1 + spaces.read_text().splitlines().index("  positive_margin: {uniform: [0.0, 1.0]}")
        found = {each.where: each for each in study_problems(read_study(home / "studies" / "demo.yaml"))}
        problem = found["losses.contrastive.space.positive_margin"]
        assert f"v1.yaml line {line}: must be a knob of contrastive" in problem.says
        assert "losses.contrastive.space.pos_margin" in found

    def test_frozen_statistics_of_a_random_trunk_are_warned_of(self, home):
        protocol = home / "protocols" / "quick.yaml"
        protocol.write_text(protocol.read_text().replace("batch_norm: train", "batch_norm: freeze_statistics"))
        read = read_study(home / "studies" / "demo.yaml")
        assert study_problems(read) == []
        (warning,) = study_warnings(read)
        assert "recipe.batch_norm: should be `train`" in warning.says
