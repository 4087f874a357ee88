"""Two small steps with a loss, as a training would take them, and what is wrong with them.

The first step has a batch with several images per class, the second one without positives. A second loss of the same
seed then repeats the first: three calls, since some losses are slow, and some keep counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from realitycheck.catalog import build_loss
from realitycheck.check.rules.base import cause_of
from realitycheck.check.trained_leaves import name_of, trained_leaves
from realitycheck.losses.global_draws import seed_generators
from realitycheck.protocol.document import Fault
from realitycheck.protocol.knobs import own_knobs
from realitycheck.runs import Knobs

CLASSES, PER_CLASS, DIMS = 12, 4, 16
"""Both batches have as many images as there are classes."""

RATE = 0.01
"""Of the small change of every parameter between the two steps."""

PAIRED = torch.arange(CLASSES // PER_CLASS, device="cpu").repeat(PER_CLASS)
ALONE = torch.arange(CLASSES, device="cpu")
"""Labels with several images of each class, and with one image of each."""


def use_one_thread() -> None:
    """Compute on this thread alone."""
    torch.set_num_threads(1)


def small_loss(address: str, knobs: Knobs) -> nn.Module:
    """Build a loss for the small batches.

    Raises:
        TypeError: its constructor does not call that of `nn.Module`.
    """
    loss = build_loss(address, num_classes=CLASSES, embedding_dim=DIMS, seed=0, knobs=own_knobs(knobs))
    if not isinstance(vars(loss).get("_parameters"), dict):  # torch makes it there, and fails later without it
        raise TypeError("`__init__` does not call `super().__init__()` before it returns")
    return loss


def small_step(loss: nn.Module) -> None:
    """Call a loss on a batch with several images per class, as a training would."""
    batch = _inputs(loss, PAIRED)
    batch.call(loss, batch.leaf * 1, batch.labels.clone())


def tried_loss(loss: nn.Module, *, again: Callable[[], nn.Module]) -> Iterator[Fault]:
    """Return what is wrong with a loss, at most one problem.

    Args:
        loss: as it is built.
        again: builds the same loss once more.
    """
    faults = _Trial(loss).faults(again)
    yield from (fault for fault, _ in zip(faults, range(1), strict=False))


@dataclass(slots=True)
class _Trial:
    """A loss in two steps; `kept` are the embeddings of earlier steps, and `reached` what got a gradient."""

    loss: nn.Module
    kept: list[Tensor] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    attached: bool = False

    def faults(self, again: Callable[[], nn.Module]) -> Iterator[Fault]:
        yield from self._lazy()
        before = _members(self.loss)
        values: list[Tensor] = []
        first = _inputs(self.loss, PAIRED)
        yield from self._step(first, values)
        yield from _made_late(before, _members(self.loss))
        if not self.attached:  # a constant where no pair is active: perhaps others are
            yield from self._step(_inputs(self.loss, PAIRED, spread=0.1), [])
        yield from self._alone()
        if not self.attached:
            says = "the loss is detached from the embeddings (no gradient). Check `forward` for `.detach()`, `.item()`."
            yield Fault("loss-detached", says)
        yield from self._idle()
        yield from _repeated(again(), first, values[0])

    def _lazy(self) -> Iterator[Fault]:
        for name, parameter in self.loss.named_parameters():
            if is_lazy(parameter):
                yield _late(f"the parameter '{name}' has no shape before the first call of `forward`")

    def _alone(self) -> Iterator[Fault]:
        """The second step; what a batch with positives meets as well is not blamed on their absence."""
        faults = list(self._step(_inputs(self.loss, ALONE), [], constant=True))
        if faults and faults[0].code in ("loss-forward", "loss-value", "loss-backward", "gradient-not-finite"):
            second = list(self._step(_inputs(self.loss, PAIRED), []))
            says = f"a batch without positives, one image of each class: {faults[0].says}"
            faults = second or [Fault("batch-without-positives", says)]
        yield from faults

    def _step(self, batch: _Batch, values: list[Tensor], *, constant: bool = False) -> Iterator[Fault]:
        """One step: the value is appended to `values`. With `constant`, a plain number is a value too."""
        count, labels = len(batch.labels), batch.labels.clone()
        embeddings = batch.leaf * 1  # a training's embeddings are no leaf either
        try:
            value = batch.call(self.loss, embeddings, labels)
        except Exception as error:  # the class of a study's author may raise anything
            says = f"`forward` fails for a batch of shape ({count}, {DIMS}): {cause_of(error)}. Correct `forward`."
            yield Fault("loss-forward", says)
            return
        yield from _changed(batch, embeddings, labels)
        if constant and isinstance(value, int | float):
            value = torch.tensor(float(value))
        faults = list(_value_faults(value))
        yield from faults
        if isinstance(value, Tensor) and not faults:
            values.append(value.detach())
            yield from self._differentiated(batch, value)

    def _differentiated(self, batch: _Batch, value: Tensor) -> Iterator[Fault]:
        if not value.requires_grad:
            return
        yield from self._leaves(batch, value)
        for parameter in self.loss.parameters():
            parameter.grad = None
        try:
            value.backward()  # type: ignore[no-untyped-call]
        except Exception as error:  # the class of a study's author may raise anything
            yield self._backward_fault(error)
            return
        self.attached |= batch.leaf.grad is not None
        yield from self._gradients(batch)
        self.kept.append(batch.leaf)

    def _leaves(self, batch: _Batch, value: Tensor) -> Iterator[Fault]:
        known = {id(parameter) for parameter in self.loss.parameters()} | {id(leaf) for leaf in batch.leaves}
        for leaf in trained_leaves(value):
            if any(leaf is kept for kept in self.kept):
                yield _graph_kept()
            elif id(leaf) not in known:
                says = f"{name_of(leaf, self.loss)} gets a gradient, but is no parameter: no optimiser would train it."
                fix = "Make it an `nn.Parameter` of the loss, several an `nn.ParameterList`; or take its gradient away."
                yield Fault("tensor-unregistered", f"{says} {fix}")

    def _backward_fault(self, error: Exception) -> Fault:
        text = str(error)
        if self.kept and ("a second time" in text or "modified by an inplace operation" in text):
            return _graph_kept()
        return Fault("loss-backward", f"the gradient fails: {cause_of(error)}. Correct `forward`.")

    def _gradients(self, batch: _Batch) -> Iterator[Fault]:
        """What is wrong with the gradients; then the parameters take a small step along them."""
        named = [(f"the parameter '{name}'", parameter) for name, parameter in self.loss.named_parameters()]
        for name, tensor in (("the embeddings", batch.leaf), *named):
            if tensor.grad is not None and not bool(tensor.grad.isfinite().all()):
                says = f"the gradient of {name} is not finite, though the value is."
                fix = "A root or a logarithm of 0 does that: add a small constant before it."
                yield Fault("gradient-not-finite", f"{says} {fix}")
                return
        with torch.no_grad():
            for name, parameter in self.loss.named_parameters():
                if parameter.grad is not None:
                    self.reached.add(name)
                    parameter.sub_(RATE * parameter.grad / (1 + parameter.grad.norm()))

    def _idle(self) -> Iterator[Fault]:
        for name, parameter in self.loss.named_parameters():
            if parameter.requires_grad and name not in self.reached:
                says = f"the parameter '{name}' gets no gradient. Use it in `forward`, or set `requires_grad=False`."
                yield Fault("parameter-detached", says)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What a loss is called with: a leaf for its embeddings, labels, and what it needs beside them."""

    leaf: Tensor
    labels: Tensor
    beside: dict[str, Tensor]

    @property
    def leaves(self) -> Sequence[Tensor]:
        return (self.leaf, *self.beside.values())

    def call(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> object:
        """Call a loss; its draws depend on nothing but the call."""
        seed_generators(1)
        return loss(embeddings, labels, **self.beside)


def _inputs(loss: nn.Module, labels: Tensor, *, spread: float = 1.0) -> _Batch:
    """Random embeddings around one point, `spread` apart; with a spread of 1, around the origin."""
    center = torch.randn(1, DIMS) if spread < 1 else torch.zeros(1, DIMS)
    points = (center + spread * torch.randn(len(labels), DIMS)).requires_grad_()
    needs = sorted(getattr(loss, "needs", ()))
    beside = {need.value: torch.randn(len(labels), DIMS, requires_grad=need.value == "features") for need in needs}
    return _Batch(points, labels, beside)


def _value_faults(value: object) -> Iterator[Fault]:
    if isinstance(value, Tensor) and value.device.type != "cpu":  # such a value cannot be read on every device
        says = f"a value on {value.device} is not allowed here: the embeddings are on the CPU."
        yield Fault("loss-device", f"{says} Make new tensors on `embeddings.device`.")
    elif not isinstance(value, Tensor) or value.shape != () or not value.isfinite():
        says = f"{_shown(value)} is not allowed here: `forward` must return one finite number. Correct `forward`."
        yield Fault("loss-value", says)
    elif value.dtype not in (torch.float32, torch.float64):
        says = f"a value of {value.dtype} is not allowed here: `forward` must return torch.float32 or torch.float64."
        yield Fault("loss-dtype", f"{says} Convert the embeddings or the value, such as by `.float()`.")


def _changed(batch: _Batch, embeddings: Tensor, labels: Tensor) -> Iterator[Fault]:
    for name, same in (("embeddings", embeddings.equal(batch.leaf)), ("labels", labels.equal(batch.labels))):
        if not same:
            says = f"`forward` changes its {name} in place, which others use as well. Compute a new tensor instead."
            yield Fault("loss-in-place", says)


def _members(loss: nn.Module) -> dict[str, Tensor]:
    return {**dict(loss.named_parameters()), **dict(loss.named_buffers())}


def _made_late(before: dict[str, Tensor], after: dict[str, Tensor]) -> Iterator[Fault]:
    """Parameters and buffers that the first call made, replaced or removed."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        parameter = isinstance(old if new is None else new, nn.Parameter)
        if old is None or new is None or (parameter and old is not new) or old.shape != new.shape:
            kind = "parameter" if parameter else "buffer"
            how = "makes" if old is None else "removes" if new is None else "replaces"
            yield _late(f"the first call of `forward` {how} the {kind} '{name}'")


def _late(says: str) -> Fault:
    return Fault("loss-late", f"{says}. Make it in the constructor: optimisers and checkpoints exist before.")


def _graph_kept() -> Fault:
    says = "the loss keeps the graph of an earlier batch, which is gone after its step. Detach what it keeps."
    return Fault("graph-kept", says)


def _repeated(loss: nn.Module, batch: _Batch, expected: Tensor) -> Iterator[Fault]:
    """A fresh loss gives the same value for the same batch and seed."""
    try:
        value = batch.call(loss, batch.leaf.detach() * 1, batch.labels.clone())
    except Exception as error:  # the class of a study's author may raise anything
        yield Fault("loss-forward", f"`forward` fails for a second loss: {cause_of(error)}. Correct `forward`.")
        return
    value = value.detach() if isinstance(value, Tensor) else value
    if not isinstance(value, Tensor) or not value.equal(expected):
        got = f"{_shown(expected)} and {_shown(value)}"
        says = f"two calls with one seed give {got}: the loss draws from a generator that no seed reaches."
        fix = "Draw from the argument `seed`, or from torch's, NumPy's or Python's global generator."
        yield Fault("loss-unrepeatable", f"{says} {fix}")


def _shown(value: object) -> str:
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:59] + "…"
