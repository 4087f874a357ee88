"""Layers by their formulas, row by row."""

import torch


def shaken(loss):
    """In float64, with biases, scales and all in general position."""
    loss = loss.double()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in loss.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator))
    return loss


def smoothed(logits, labels, epsilon):
    """Cross entropy against 1 - ε on the own class and ε/C on every class, item by item."""
    total = 0.0
    for row, label in zip(logits, labels.tolist(), strict=True):
        log = row - row.logsumexp(dim=0)
        total = total - (1 - epsilon) * log[label] - epsilon * log.mean()
    return total / len(logits)


def over_batch(norm, rows):
    """Batch normalisation by its formula."""
    center = sum(rows) / len(rows)
    spread = sum((row - center) ** 2 for row in rows) / len(rows)
    shift = 0 if norm.bias is None else norm.bias
    return [(row - center) / (spread + norm.eps).sqrt() * norm.weight + shift for row in rows]


def over_features(norm, row):
    return (row - row.mean()) / ((row - row.mean()).square().mean() + norm.eps).sqrt() * norm.weight + norm.bias


def affine(layer, row):
    return layer.weight @ row + layer.bias
