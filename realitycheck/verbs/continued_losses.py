"""Losses of plug-ins whose runs cannot continue from a checkpoint, which holds values of known kinds.

Such a loss trains as any other, but each of its runs starts from zero after a kill. It is said before the first run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from realitycheck.catalog import is_address, middle_knobs
from realitycheck.errors import Problem
from realitycheck.losses.menu import parts
from realitycheck.protocol.knobs import own_knobs
from realitycheck.protocol.model import LossChoice
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.space import Space


def continuing_warnings(read: ReadStudy) -> Iterator[Problem]:
    """Find the losses that are not continued; their spaces on the first dataset count."""
    dataset = read.study.datasets[0].name
    for choice in read.study.losses:
        if cause := not_continued(choice, read.study.protocol_on(dataset).space_of(choice, dataset)):
            says = f"a checkpoint cannot hold the state of this loss ({cause}), so a killed run starts from zero."
            fix = "Keep state in buffers, or in attributes of plain values."
            yield read.lines.problem(("losses", choice.label), "loss-not-continued", f"{says} {fix}")


def not_continued(choice: LossChoice, space: Space) -> str | None:
    """Why a checkpoint cannot hold the state of a loss, or None where it can; losses of the menu all can.

    Args:
        choice: the loss.
        space: its ranges; it is built with the middle of each.
    """
    addresses = [part for part in parts(choice.address) if is_address(part)]
    if not addresses:
        return None
    from realitycheck.check.loss_trial import small_loss, small_step  # torch, which most verbs do without
    from realitycheck.losses.global_draws import seeded
    from realitycheck.training.unkept_state import unkept_state

    build = partial(small_loss, choice.address, own_knobs(middle_knobs(space)))
    try:
        with seeded(0):
            return unkept_state(addresses, build=build, step=small_step)
    except Exception:  # the class of a study's author may raise anything, and `loss-forward` reports it
        return None
