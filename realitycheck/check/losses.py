"""What is wrong with the knobs of a loss: they are held to its signature, and the loss is tried once."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from realitycheck.catalog import build_loss, middle_knobs, resolve_loss
from realitycheck.errors import InputError
from realitycheck.losses.build import OFFERED, knobs_of
from realitycheck.protocol.knobs import FOLLOWUP, SCALE, SHARED, own_knobs, phase_knobs
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.salvage import passing_gaps
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.space import Bounds, Range, Space
from realitycheck.runs import Knobs

if TYPE_CHECKING:
    from torch import nn

CLASSES, DIMS = 3, 16
"""Of the tiny loss and batch that `check` tries every loss with."""


def knob_problems(
    choice: LossChoice, protocol: Protocol, *, dataset: str, refused: Collection[str]
) -> list[tuple[str, str]]:
    """What is wrong with a loss's space: pairs of a knob's name (empty for the loss itself) and a sentence.

    The loss is built and called once, tiny, with every knob in the middle of its range; where the protocol has a second
    phase it is built again with that phase's knobs, and takes over the first one's state.

    Args:
        choice: the loss.
        protocol: how it would be trained.
        dataset: whose space is meant, where they differ; else any name.
        refused: knobs that are given with a range that is wrong. Their names are checked, but nothing is built.
    """
    from torch import nn

    try:
        classes = resolve_loss(choice.address)
    except InputError as error:
        return [("", problem.says) for problem in error.problems]
    strange = [found.__name__ for found in classes if not issubclass(found, nn.Module)]
    if strange:
        return [("", f"must be an nn.Module; got {strange[0]}, which is none. Name another class.")]
    space = protocol.space_of(choice, dataset)
    own = {knob: ground for knob, ground in space.items() if knob not in protocol.search.shared}
    named = [*_name_problems(choice.address, [*own, *refused], classes), *_followup_problems(own, classes)]
    return named if named or refused else list(_built_problems(choice.address, space, protocol))


def _name_problems(address: str, given: Sequence[str], classes: Sequence[type]) -> Iterator[tuple[str, str]]:
    takes = knobs_of(*classes)
    for knob in given:
        if knob in OFFERED:
            yield knob, f"must be left to the house, which knows it; got {knob}. Remove it."
        elif knob not in SHARED and not knob.startswith(FOLLOWUP) and knob not in takes:
            yield knob, f"must be a knob of {address}; got '{knob}'. {nearest(knob, list(takes))}"
    for knob in takes:
        if knob not in given and takes[knob].default is inspect.Parameter.empty:
            says = f"must be given, {address} has no default for it; got nothing. Add a range or a value."
            yield knob, says


def _followup_problems(space: Space, classes: Sequence[type]) -> Iterator[tuple[str, str]]:
    """A second phase changes knobs that there are, and lowers those that it may only lower."""
    takes = list(knobs_of(*classes))
    falling = [knob for found in classes for knob in getattr(found, "lower_in_followup", ())]
    for name in space:
        knob = name.removeprefix(FOLLOWUP)
        if knob == name or name in SHARED:
            continue
        if knob not in takes and knob.removesuffix(SCALE) not in takes:
            known = [FOLLOWUP + each for each in takes]
            yield name, f"must be {FOLLOWUP} and a knob; got '{name}'. {nearest(name, known)}"
        elif knob in falling:
            yield name, f"must lie below the first phase's; got a value of its own. Write {name}{SCALE}, below 1."
        elif knob.removesuffix(SCALE) in falling and not _below_one(space[name]):
            yield name, "must lie below 1, this knob only falls in a second phase; got more. Lower it."


def _below_one(ground: Range) -> bool:
    high = ground.bounds[1] if isinstance(ground, Bounds) else ground
    return isinstance(high, int | float) and high < 1


def _built_problems(address: str, space: Space, protocol: Protocol) -> Iterator[tuple[str, str]]:
    from torch import random

    knobs, phases = middle_knobs(space), [phase.name for phase in protocol.phases]
    try:
        with random.fork_rng(devices=[]):
            random.manual_seed(0)
            losses = [_tiny(address, phase_knobs(knobs, phase)) for phase in phases]
            wrong = _called_problem(losses[0])
            losses[-1].load_state_dict(losses[0].state_dict())
    except Exception as error:  # a stranger's class may raise anything
        yield "", f"must work with {knobs}; got {type(error).__name__}: {error}. Mend its space."
        return
    if wrong:
        yield "", wrong
    with passing_gaps():
        yield from _rate_problems(losses[0], space, protocol)


def _tiny(address: str, knobs: Knobs) -> nn.Module:
    return build_loss(address, num_classes=CLASSES, embedding_dim=DIMS, seed=0, knobs=own_knobs(knobs))


def _rate_problems(loss: nn.Module, space: Space, protocol: Protocol) -> Iterator[tuple[str, str]]:
    """A loss with parameters has a rate in each phase; one without has none."""
    rule = protocol.recipe.optimizers.loss.lr
    learns = any(parameter.requires_grad for parameter in loss.parameters())
    scale = f"{FOLLOWUP}loss_lr{SCALE}"
    if learns and rule is None and "loss_lr" not in space:
        yield "loss_lr", "must be given, this loss has parameters of its own; got nothing. Add `loss_lr: …`."
    if learns and len(protocol.phases) > 1 and scale not in space:
        yield scale, "must be given, the protocol has a second phase; got nothing. Add it, 1 at most."
    for knob in ("loss_lr", scale):
        if not learns and knob in space and knob not in protocol.search.shared:
            yield knob, "must be left out, this loss has no parameters; got a rate. Remove it."


def _called_problem(loss: nn.Module) -> str | None:
    """What is wrong with the loss's answer to a batch of random embeddings, each class four times."""
    import torch

    embeddings = torch.randn(4 * CLASSES, DIMS, requires_grad=True)
    needs = sorted(getattr(loss, "needs", ()))
    beside = {need.value: torch.randn(4 * CLASSES, DIMS) for need in needs}
    value = loss(embeddings, torch.arange(CLASSES).repeat(4), **beside)
    if not isinstance(value, torch.Tensor) or value.shape != () or not value.isfinite():
        return f"must give one finite number for a batch; got {value!r}. Mend its forward."
    if not value.requires_grad:
        return "must give a number with a gradient; got one cut off from the embeddings. Mend its forward."
    value.backward()  # type: ignore[no-untyped-call]
    cut_off = [name for name, each in loss.named_parameters() if each.requires_grad and each.grad is None]
    if cut_off:
        return f"must send a gradient to every parameter; {cut_off[0]} got none. Use it, or let it need no gradient."
    return None
