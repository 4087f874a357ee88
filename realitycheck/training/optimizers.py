"""Trunk, embedder and loss parameters, each with an optimiser of their own."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from realitycheck.errors import RunError
from realitycheck.protocol.knobs import SCALE
from realitycheck.protocol.recipe import Optimizer, Recipe
from realitycheck.runs import Knobs
from realitycheck.training.model import EmbeddingModel

ALPHA, BETA_2, EPS = 0.99, 0.999, 1e-8
"""RMSprop's and Adam's memory of squared gradients, and what is added to their root; `Optimizer` promises them."""

Group = dict[str, Any]
"""Parameters of one optimiser and what of its rule is theirs alone, as torch takes them."""


def build_optimizers(
    *, recipe: Recipe, knobs: Knobs, model: EmbeddingModel, loss: nn.Module
) -> dict[str, torch.optim.Optimizer]:
    """One optimiser per group that has parameters: `trunk`, `embedder` (with the LayerNorm), `loss`.

    A knob `trunk_lr`, `embedder_lr` or `loss_lr` takes the place of the recipe's rate; `RATE_SCALES` multiply it.
    Parameters that the loss calls `undecayed` have no weight decay, whatever the recipe's is.

    Raises:
        RunError: a group has parameters and no rate.
    """
    embedder = [*model.norm.parameters(), *model.embedder.parameters()]
    trunk = model.trunk.parameters() if model.trunk is not None else ()
    groups = {"trunk": trunk, "embedder": embedder, "loss": loss.parameters()}
    rules = {
        "trunk": recipe.optimizers.trunk,
        "embedder": recipe.optimizers.embedder,
        "loss": recipe.optimizers.loss,
    }
    spared, built = undecayed(loss), {}
    for name, parameters in groups.items():
        trainable = [each for each in parameters if each.requires_grad]
        if trainable:
            parts = _by_decay(trainable, spared) if rules[name].weight_decay > 0 else [{"params": trainable}]
            built[name] = _optimizer(rules[name], parts, lr=_rate(name, rules[name], knobs))
    return built


def _rate(name: str, rule: Optimizer, knobs: Knobs) -> float:
    lr = knobs.get(f"{name}_lr", rule.lr)
    if lr is None:
        raise RunError(f"the {name} parameters have no learning rate; search `{name}_lr` or state it in the recipe.")
    return float(lr) * float(knobs.get(f"{name}_lr{SCALE}", 1.0))


def undecayed(loss: nn.Module) -> set[nn.Parameter]:
    """What the loss, or one that it wraps, spares from weight decay among its parameters."""
    return {
        parameter
        for module in loss.modules()
        for name, parameter in module.named_parameters()
        if name.startswith(tuple(getattr(module, "undecayed", ())))
    }


def _by_decay(parameters: list[nn.Parameter], spared: set[nn.Parameter]) -> list[Group]:
    """The decayed, then the spared, which decay by 0; a group with nothing in it is left out."""
    decayed = [each for each in parameters if each not in spared]
    rest = [each for each in parameters if each in spared]
    return [group for group in ({"params": decayed}, {"params": rest, "weight_decay": 0.0}) if group["params"]]


def _optimizer(rule: Optimizer, parameters: list[Group], *, lr: float) -> torch.optim.Optimizer:
    decay, momentum = rule.weight_decay, rule.momentum
    match rule.name:
        case "rmsprop":  # the only one of the four without a fused form
            return torch.optim.RMSprop(
                parameters, lr=lr, alpha=ALPHA, eps=EPS, momentum=momentum, weight_decay=decay, foreach=True
            )
        case "sgd":
            return torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=decay, fused=True)
        case "adam":
            return torch.optim.Adam(
                parameters, lr=lr, betas=(momentum, BETA_2), eps=EPS, weight_decay=decay, fused=True
            )
        case "adamw":
            return torch.optim.AdamW(
                parameters, lr=lr, betas=(momentum, BETA_2), eps=EPS, weight_decay=decay, fused=True
            )
