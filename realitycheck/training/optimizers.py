"""One optimiser each for the parameters of trunk, embedder and loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from realitycheck.errors import RunError
from realitycheck.protocol.knobs import SCALE
from realitycheck.protocol.recipe import Optimizer, Recipe
from realitycheck.runs import Knobs
from realitycheck.training.embedding_model import EmbeddingModel

ALPHA, BETA_2 = 0.99, 0.999
"""Decay of the squared gradients in RMSprop and in Adam; documented in `Optimizer`."""

Group = dict[str, Any]
"""A parameter group of `torch.optim`: parameters, and the options in which they differ from the others."""


def build_optimizers(
    *, recipe: Recipe, knobs: Knobs, model: EmbeddingModel, loss: nn.Module
) -> dict[str, torch.optim.Optimizer]:
    """Build one optimiser for each part with trainable parameters: `trunk`, `embedder` (with LayerNorm), `loss`.

    A knob `trunk_lr`, `embedder_lr` or `loss_lr` replaces the recipe's rate; `RATE_SCALES` multiply it.
    Parameters that the loss lists in `undecayed` get no weight decay.

    Raises:
        RunError: if a part has parameters and no learning rate.
    """
    embedder = [*model.norm.parameters(), *model.embedder.parameters()]
    trunk = model.trunk.parameters() if model.trunk is not None else ()
    groups = {"trunk": trunk, "embedder": embedder, "loss": loss.parameters()}
    rules = {
        "trunk": recipe.optimizers.trunk,
        "embedder": recipe.optimizers.embedder,
        "loss": recipe.optimizers.loss,
    }
    exempt, optimizers = undecayed(loss), {}
    for name, parameters in groups.items():
        trainable = [parameter for parameter in parameters if parameter.requires_grad]
        if trainable:
            parts = _by_decay(trainable, exempt) if rules[name].weight_decay > 0 else [{"params": trainable}]
            optimizers[name] = _optimizer(rules[name], parts, lr=_rate(name, rules[name], knobs))
    return optimizers


def _rate(name: str, rule: Optimizer, knobs: Knobs) -> float:
    lr = knobs.get(f"{name}_lr", rule.lr)
    if lr is None:
        raise RunError(f"the {name} parameters have no learning rate; add `{name}_lr` to the space or the recipe.")
    return float(lr) * float(knobs.get(f"{name}_lr{SCALE}", 1.0))


def undecayed(loss: nn.Module) -> set[nn.Parameter]:
    """Return the parameters that the loss, or a loss that it wraps, exempts from weight decay."""
    return {
        parameter
        for module in loss.modules()
        for name, parameter in module.named_parameters()
        if name.startswith(tuple(getattr(module, "undecayed", ())))
    }


def _by_decay(parameters: list[nn.Parameter], exempt: set[nn.Parameter]) -> list[Group]:
    """Return the group of decayed parameters, then that of exempt ones; an empty group is left out."""
    decayed = [parameter for parameter in parameters if parameter not in exempt]
    rest = [parameter for parameter in parameters if parameter in exempt]
    return [group for group in ({"params": decayed}, {"params": rest, "weight_decay": 0.0}) if group["params"]]


def _optimizer(rule: Optimizer, parameters: list[Group], *, lr: float) -> torch.optim.Optimizer:
    decay, momentum, eps = rule.weight_decay, rule.momentum, rule.eps
    match rule.name:
        case "rmsprop":  # the only one of the four without a fused implementation
            return torch.optim.RMSprop(
                parameters, lr=lr, alpha=ALPHA, eps=eps, momentum=momentum, weight_decay=decay, foreach=True
            )
        case "sgd":
            return torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=decay, fused=True)
        case "adam":
            return torch.optim.Adam(
                parameters, lr=lr, betas=(momentum, BETA_2), eps=eps, weight_decay=decay, fused=True
            )
        case "adamw":
            return torch.optim.AdamW(
                parameters, lr=lr, betas=(momentum, BETA_2), eps=eps, weight_decay=decay, fused=True
            )
