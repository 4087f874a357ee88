"""Points of the plane, and what is known of them by school geometry."""

import math

import torch


def arrows(*degrees, lengths=None):
    """Vectors of the plane at these angles."""
    lengths = lengths or [1.0] * len(degrees)
    return torch.tensor(
        [[r * math.cos(math.radians(a)), r * math.sin(math.radians(a))] for a, r in zip(degrees, lengths, strict=True)],
        dtype=torch.float64,
    )


def chord(degrees):
    return 2 * math.sin(math.radians(degrees) / 2)


def cosine_of(degrees):
    return math.cos(math.radians(degrees))
