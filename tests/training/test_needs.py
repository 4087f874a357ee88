"""What a loss declares that it reads beside embeddings and labels, it gets; a teacher follows the model."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar

import pytest
import torch
from small_study import PROTOCOL, STUDY, write_study
from torch import Tensor, nn

from realitycheck import verbs
from realitycheck.executors.base import unheard
from realitycheck.losses.base import Loss, Need
from realitycheck.plan.specs import DatasetPlan
from realitycheck.runs import TrainingPlace
from realitycheck.training.assemble import assemble
from realitycheck.training.checkpoint import Snapshot
from realitycheck.training.single_run import run
from realitycheck.training.teacher import Teacher

SEEN: list[tuple[Tensor, Tensor, Tensor]] = []


class Curious(Loss):
    """Asks for everything, and pulls embeddings to their keys."""

    needs: ClassVar[frozenset[Need]] = frozenset(Need)

    def __init__(self, *, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum

    def forward(self, embeddings: Tensor, labels: Tensor, *, features: Tensor, keys: Tensor) -> Tensor:
        SEEN.append((embeddings, features, keys))
        return (embeddings - keys).square().mean() + 0 * features.sum()


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    choice = f'{{loss: "{__name__}:Curious", distance: cosine, family: pairs, space: {{momentum: 0.75}}}}'
    study = STUDY.replace("normalized_softmax: {}", f"curious: {choice}")
    read = verbs.load_study(write_study(tmp_path_factory.mktemp("needs"), protocol=PROTOCOL, study=study))
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    return plan.losses[2].searches[0].trial_runs(slot=0, knobs={"momentum": 0.75})[0], TrainingPlace(
        str(stores.trainval), str(stores.trainval.parent), "cpu", None
    )


def test_it_gets_the_features_below_the_embedder_and_keys_without_a_gradient(job):
    trainer, _, _ = assemble(*job)
    SEEN.clear()
    trainer.advance(1)
    ((embeddings, features, keys),) = SEEN
    assert features.shape == (8, trainer.model.trunk.output_dim)
    assert keys.shape == embeddings.shape == (8, 8)
    assert embeddings.requires_grad and not keys.requires_grad


def test_keys_come_from_other_draws_of_the_same_images(job):
    trainer, _, _ = assemble(*job)
    (first, labels), (second, again) = (trainer.feed.batch(0, view=view) for view in ("batch", "keys"))
    assert torch.equal(labels, again)
    assert not torch.equal(first, second)
    assert torch.equal(trainer.feed.batch(0, view="keys")[0], second)


def test_a_teacher_moves_by_one_minus_momentum():
    student = nn.Linear(1, 1, bias=False)
    nn.init.constant_(student.weight, 0.0)
    teacher = Teacher(student, momentum=0.75)
    nn.init.constant_(student.weight, 4.0)
    teacher.follow(student)
    assert teacher.model.weight.item() == 1.0
    teacher.follow(student)
    assert teacher.model.weight.item() == 1.75


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.5, 0.99, 0.999])
def test_a_teacher_has_the_bits_of_a_step_for_each_parameter(momentum):
    """Lengths around every number of values that a processor takes at a time."""
    draw = torch.Generator().manual_seed(0)
    student = nn.ParameterList(torch.randn(length, generator=draw) for length in (*range(1, 70), 1000, 4097, 100_000))
    teacher = Teacher(student, momentum=momentum)
    expected = [weight.detach().clone() for weight in student]
    for _ in range(3):
        with torch.no_grad():
            for weight in student:
                weight.add_(torch.randn(weight.shape, generator=draw))
        teacher.follow(student)
        for average, weight in zip(expected, student, strict=True):
            average.lerp_(weight.detach(), 1 - momentum)
    assert all(torch.equal(one, two) for one, two in zip(teacher.model, expected, strict=True))


def test_a_model_without_parameters_has_a_teacher():
    Teacher(nn.Identity(), momentum=0.9).follow(nn.Identity())


def test_a_snapshot_holds_the_teacher(job):
    trainer, _, _ = assemble(*job)
    trainer.advance(2)
    kept = Snapshot.take(trainer.parts)
    weight = trainer.teacher.model.embedder.weight.clone()
    trainer.advance(2)
    assert not torch.equal(trainer.teacher.model.embedder.weight, weight)
    kept.restore(trainer.parts)
    assert torch.equal(trainer.teacher.model.embedder.weight, weight)


def test_a_run_with_a_teacher_repeats_bit_for_bit(job):
    spec, place = job
    bodies = [run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body for _ in range(2)]
    assert bodies[0] == bodies[1]
