"""Pooling, BatchNorm modes, embeddings of several models, and what a checkpoint keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_study import write_study

from realitycheck.errors import RunError
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.stores.cache import stored_weights
from realitycheck.training.checkpoint import Snapshot, load_weights, save_weights, weights_digest
from realitycheck.training.embed import join, rms_norm
from realitycheck.training.embedding_model import build_model, spread
from realitycheck.training.optimizers import build_optimizers


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return read_study(write_study(tmp_path_factory.mktemp("model"))).study


def model(study, **changes):
    recipe = study.protocol.recipe.model_copy(update=changes)
    return build_model(recipe=recipe, in_channels=1, dims=8, seed=3, weights=None)


def images(seed=0):
    return torch.randint(0, 256, (16, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_pooling_by_hand(study):
    maps = model(study).trunk(images().float() / 255)
    average, largest = maps.flatten(2).mean(2), maps.flatten(2).max(2).values
    pools = {"avg": average, "max": largest, "max+avg": average + largest}
    for name, expected in pools.items():
        torch.testing.assert_close(model(study, pooling=name).features(images()), expected)


def test_initial_weights_depend_on_the_seed_alone(study):
    torch.manual_seed(99)
    first = model(study).state_dict()
    torch.manual_seed(1)
    second = model(study).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    recipe = study.protocol.recipe
    other = build_model(recipe=recipe, in_channels=1, dims=8, seed=4, weights=None).state_dict()
    assert not torch.equal(first["embedder.weight"], other["embedder.weight"])


@pytest.mark.parametrize(
    ("mode", "statistics", "scale"),
    [("train", True, True), ("freeze_statistics", False, True), ("frozen", False, False)],
)
def test_batch_norm_modes(study, mode, statistics, scale):
    """What one step moves: running statistics, and scale and shift."""
    net = model(study, batch_norm=mode)
    layer = next(module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d))
    before = layer.running_mean.clone(), layer.weight.detach().clone()
    net.train()
    optimizers = build_optimizers(recipe=study.protocol.recipe, knobs={}, model=net, loss=torch.nn.Module())
    net(images()).square().mean().backward()
    for optimizer in optimizers.values():
        optimizer.step()
    assert (not torch.equal(layer.running_mean, before[0])) is statistics
    assert (not torch.equal(layer.weight, before[1])) is scale


def test_a_loss_with_parameters_and_no_rate_is_refused(study):
    loss = torch.nn.Linear(2, 2)
    with pytest.raises(RunError, match="loss_lr"):
        build_optimizers(recipe=study.protocol.recipe, knobs={}, model=model(study), loss=loss)
    built = build_optimizers(recipe=study.protocol.recipe, knobs={"loss_lr": 0.5}, model=model(study), loss=loss)
    assert built["loss"].param_groups[0]["lr"] == 0.5


def test_a_searched_rate_takes_the_recipes_place(study):
    built = build_optimizers(
        recipe=study.protocol.recipe, knobs={"trunk_lr": 0.25}, model=model(study), loss=torch.nn.Module()
    )
    assert built["trunk"].param_groups[0]["lr"] == 0.25
    assert built["embedder"].param_groups[0]["lr"] == study.protocol.recipe.optimizers.embedder.lr


def test_members_of_an_ensemble_have_an_equal_say():
    first, second = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)), torch.randn(50, 6) * 1000
    joined = join([first, second], distance="cosine", scales=[1.0, 1.0]).numpy()
    expected = [member / np.linalg.norm(member, axis=1, keepdims=True) for member in (first.numpy(), second.numpy())]
    np.testing.assert_allclose(joined, np.concatenate(expected, axis=1), rtol=1e-5)
    scales = [rms_norm(first), rms_norm(second)]
    assert scales[0] == pytest.approx(np.sqrt((first.numpy() ** 2).sum(1).mean()), rel=1e-6)
    joined = join([first, second], distance="euclidean", scales=scales)
    assert rms_norm(joined[:, :4]) == pytest.approx(1)
    assert rms_norm(joined[:, 4:]) == pytest.approx(1)


def test_spread_by_hand():
    assert spread(torch.tensor([[1.0, 0.0], [2.0, 0.0]])) == pytest.approx(0)
    assert spread(torch.tensor([[1.0, 0.0], [-3.0, 0.0]])) == pytest.approx(1)
    # mean of (1, 0) and (0, 1) is (½, ½), at distance √½ from both
    assert spread(torch.tensor([[1.0, 0.0], [0.0, 5.0]])) == pytest.approx(0.5**0.5)


def test_rows_of_zeros_are_one_point():
    """Half of them together with half of (1, 0) are at distance ½ from the mean (½, 0)."""
    assert spread(torch.zeros(5, 3)) == 0
    assert spread(torch.tensor([[0.0, 0.0], [1.0, 0.0]])) == pytest.approx(0.5)
    assert spread(torch.tensor([[1e-20, 0.0], [-1e-20, 0.0]])) == pytest.approx(1)


def test_a_member_without_a_scale_contributes_zeros():
    dead, alive = torch.zeros(3, 2), torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]])
    joined = join([dead, alive], distance="euclidean", scales=[rms_norm(dead), rms_norm(alive)])
    assert joined.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, -1, 0]]
    joined = join([alive, alive], distance="euclidean", scales=[0.0, 2.0])
    assert joined.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, -1, 0]]


def test_a_snapshot_brings_weights_loss_and_optimisers_back(study):
    net, loss = model(study), torch.nn.Linear(8, 3)
    optimizers = build_optimizers(recipe=study.protocol.recipe, knobs={"loss_lr": 0.1}, model=net, loss=loss)

    def step():
        net.train()
        value = loss(net(images())).square().mean()
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        value.backward()
        for optimizer in optimizers.values():
            optimizer.step()

    step()
    parts = {"model": net, "loss": loss, **{f"{name} optimizer": optimizer for name, optimizer in optimizers.items()}}
    kept = Snapshot.take(parts)
    step()
    step()
    straight = {name: value.clone() for name, value in net.state_dict().items()}
    kept.restore(parts)
    step()
    step()
    assert all(torch.equal(straight[name], value) for name, value in net.state_dict().items())


@pytest.fixture
def saved(study, tmp_path):
    """A model, its spec, the digest of its weights, and their file."""
    plan = DatasetPlan(study=study, dataset="pictures", data="d", test=None)
    spec, net = plan.untrained.searches[0].replicate_runs(index=0, knobs={})[0], model(study)
    save_weights(tmp_path, spec, net)
    (path,) = (tmp_path / "weights").iterdir()
    return net, spec, weights_digest(net.state_dict()), path


def test_weights_come_back(saved, tmp_path):
    net, spec, digest, _ = saved
    back, weights = load_weights(tmp_path, spec.id, digest=digest)
    assert back == spec
    assert all(torch.equal(weights[name], value) for name, value in net.state_dict().items())


def test_whatever_byte_flips_the_weights_are_set_aside(saved, tmp_path):
    """All bytes of the header, and some of the tensors, the last among them."""
    _, spec, digest, path = saved
    good = path.read_bytes()
    header = 8 + int.from_bytes(good[:8], "little")
    for position in (*range(0, header, 7), *range(header, len(good), 97), len(good) - 1):
        bad = bytearray(good)
        bad[position] ^= 1
        path.write_bytes(bad)
        try:
            load_weights(tmp_path, spec.id, digest=digest)
        except RunError as error:
            (aside,) = path.parent.glob(f"{path.name}.damaged-*")
            assert aside.name in str(error) and aside.read_bytes() == bad
            aside.unlink()
            assert not path.exists() and stored_weights(tmp_path) == set()
        else:
            raise AssertionError(f"byte {position} of {len(good)} flipped, and the weights were taken")


@pytest.mark.parametrize("kept", [0, 5, 100, -10])
def test_cut_weights_are_set_aside(saved, tmp_path, kept):
    _, spec, digest, path = saved
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RunError, match="damaged"):
        load_weights(tmp_path, spec.id, digest=digest)
    assert not path.exists()


def test_missing_weights_are_said_to_be(saved, tmp_path):
    _, spec, digest, path = saved
    path.unlink()
    with pytest.raises(RunError, match="cannot be read"):
        load_weights(tmp_path, spec.id, digest=digest)


def test_another_runs_weights_are_refused(study, tmp_path):
    plan = DatasetPlan(study=study, dataset="pictures", data="d", test=None)
    first, second = plan.untrained.searches[0].replicate_runs(index=0, knobs={})
    save_weights(tmp_path, first, model(study))
    (path,) = (tmp_path / "weights").iterdir()
    path.rename(path.with_stem(second.id))
    with pytest.raises(RunError, match="holds the weights"):
        load_weights(tmp_path, second.id, digest=weights_digest(model(study).state_dict()))
