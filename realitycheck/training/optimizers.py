"""Trunk, embedder and loss parameters, each with an optimiser of their own."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from realitycheck.errors import RunError
from realitycheck.protocol.knobs import SCALE, Knobs
from realitycheck.protocol.model import Optimizer, Recipe
from realitycheck.training.model import EmbeddingModel

ALPHA, BETA_2, EPS = 0.99, 0.999, 1e-8
"""RMSprop's and Adam's memory of squared gradients, and what is added to their root; `Optimizer` promises them."""


def build_optimizers(
    *, recipe: Recipe, knobs: Knobs, model: EmbeddingModel, loss: nn.Module
) -> dict[str, torch.optim.Optimizer]:
    """One optimiser per group that has parameters: `trunk`, `embedder` (with the LayerNorm), `loss`.

    A knob `trunk_lr`, `embedder_lr` or `loss_lr` takes the place of the recipe's rate; `RATE_SCALES` multiply it.

    Raises:
        RunError: a group has parameters and no rate.
    """
    embedder = [*model.norm.parameters(), *model.embedder.parameters()]
    groups = {"trunk": model.trunk.parameters(), "embedder": embedder, "loss": loss.parameters()}
    rules = {
        "trunk": recipe.optimizers.trunk,
        "embedder": recipe.optimizers.embedder,
        "loss": recipe.optimizers.loss,
    }
    built = {}
    for name, parameters in groups.items():
        trainable = [each for each in parameters if each.requires_grad]
        if not trainable:
            continue
        lr = knobs.get(f"{name}_lr", rules[name].lr)
        if lr is None:
            raise RunError(
                f"the {name} parameters have no learning rate; search `{name}_lr` or state it in the recipe."
            )
        built[name] = _optimizer(rules[name], trainable, lr=float(lr) * float(knobs.get(f"{name}_lr{SCALE}", 1.0)))
    return built


def _optimizer(rule: Optimizer, parameters: Iterable[nn.Parameter], *, lr: float) -> torch.optim.Optimizer:
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
