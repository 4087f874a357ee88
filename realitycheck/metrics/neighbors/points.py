"""Rows prepared for comparison: exact in float64, and fast in float32 with a proven bound on the error.

Neighbours are ordered by the float64 key of a pair: elementwise products, added in a fixed order. So the order is the
same on every device, in every tile and with any number of threads, and equal rows have equal keys. The float32 matrix
product only selects the pairs that need this key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from realitycheck.errors import InputError
from realitycheck.metrics.neighbors.tiles import numbers_at_once

DISTANCES = ("cosine", "euclidean")

_ROUND32, _ROUND64 = 2.0**-24, 2.0**-53

SOURCE = "nearest neighbours"

_CENTRED = 1024
"""Approximate number of rows of which the centre is the mean. Any centre is valid; products are small near the mean."""


@dataclass(frozen=True)
class Points:
    """N rows of D numbers, prepared for comparison.

    Args:
        exact: (N, D) float64: for `cosine` unit rows (a zero row stays zero), for `euclidean` the rows.
        distance: `cosine` or `euclidean`.
        left: (N, D + 2) float32.
        right: (N, D + 2) float32; `left[i] @ right[j]` is half the squared distance of i and j, up to a
            positive factor and a constant.
        band: (N,) float32; two such products of row i that differ by more than `band[i]` are in true order.
        numbers: float64 numbers that are processed at a time, see `Tiles`.
    """

    exact: Tensor
    distance: str
    left: Tensor
    right: Tensor
    band: Tensor
    numbers: int

    def __len__(self) -> int:
        return self.exact.shape[0]

    def keys(self, rows: Tensor, others: Tensor) -> Tensor:
        """Return the (P,) float64 keys of P pairs of row numbers; a nearer pair has a lower key."""
        size = at_once(self.exact, numbers=self.numbers)
        pairs = zip(torch.split(rows, size), torch.split(others, size), strict=True)
        table = self.exact
        return torch.cat(
            [_key(table.index_select(0, a), table.index_select(0, b), distance=self.distance) for a, b in pairs]
        )

    def keys_to_all(self, rows: Tensor) -> Tensor:
        """Return the (q, N) float64 keys of rows, by number, with all; equal rows are computed once.

        All q rows are processed at a time, whatever their number; see `rows_with_all`.
        """
        columns, back = self._unique
        own = self.exact[rows].T.unsqueeze(2)
        parts = torch.split(columns.unsqueeze(1), max(1, self.numbers // own.numel()), dim=2)
        return torch.cat([_key_of_columns(own, part, distance=self.distance) for part in parts], dim=1)[:, back]

    @property
    def rows_with_all(self) -> int:
        """Number of rows of which `keys_to_all` takes about `numbers` numbers."""
        return max(1, self.numbers // max(len(self), self._unique[0].numel()))

    @property
    def distinct(self) -> int:
        """Number of distinct rows."""
        return self._unique[0].shape[1]

    @cached_property
    def _unique(self) -> tuple[Tensor, Tensor]:
        """The distinct rows as (D, n) columns, whose sums take half of the time, and the (N,) column of each row."""
        unique, back = torch.unique(self.exact, dim=0, return_inverse=True)
        return unique.T.contiguous(), back

    def subset(self, rows: Tensor) -> Points:
        """Return (n,) rows, by number, as points with the same keys and products of their own."""
        exact = self.exact[rows]
        rough = _rough(exact, distance=self.distance, numbers=self.numbers)
        return Points(exact, self.distance, *rough, self.numbers)


def prepare(embeddings: Tensor, *, distance: str) -> Points:
    """Check and convert (N, D) embeddings of any float type, on their device.

    Raises:
        InputError: if they are not an (N, D) table of finite numbers, or `distance` is unknown.
    """
    number, numbers = torch.arange(len(embeddings), device=embeddings.device), numbers_at_once(embeddings.device)
    return prepare_rows(embeddings, number, distance=distance, numbers=numbers)


def prepare_rows(embeddings: Tensor, number: Tensor, *, distance: str, numbers: int) -> Points:
    """Prepare the rows of these (N,) numbers, in that order; `numbers` are processed at a time.

    Raises:
        InputError: as in `prepare`.
    """
    _check(embeddings, distance=distance)
    rows = embeddings.detach()
    size = at_once(rows, numbers=numbers)
    top = torch.cat([part.abs().amax(1) for part in torch.split(rows, size)]).to(torch.float64)
    if bad := int((~top.isfinite()).sum()):
        says = f"{bad} of {len(top)} rows contain NaN or infinity. All values must be finite."
        raise InputError.one(SOURCE, "embeddings-not-finite", says, where="embeddings")
    shrink = _shrink(top if distance == "cosine" else top.amax().expand(len(top)))[number]
    exact = torch.empty(rows.shape, dtype=torch.float64, device=rows.device)
    for part, which, factor in zip(*(torch.split(column, size) for column in (exact, number, shrink)), strict=True):
        part.copy_(rows.index_select(0, which)).mul_(factor.unsqueeze(1))
        if distance == "cosine":
            part /= _sum(part * part).sqrt().clamp(min=_ROUND64).unsqueeze(1)
    return Points(exact, distance, *_rough(exact, distance=distance, numbers=numbers), numbers)


def _check(embeddings: Tensor, *, distance: str) -> None:
    if distance not in DISTANCES:
        says = f"unknown distance {distance!r}. Use {' or '.join(DISTANCES)}."
        raise InputError.one(SOURCE, "distance-unknown", says, where="distance")
    if embeddings.dim() != 2 or not embeddings.is_floating_point() or embeddings.numel() == 0:
        shape = f"{tuple(embeddings.shape)} of {embeddings.dtype}"
        says = f"expected a non-empty (N, D) table of floating-point numbers, got {shape}."
        raise InputError.one(SOURCE, "embeddings-shape", says, where="embeddings")


def at_once(table: Tensor, *, numbers: int) -> int:
    """Return how many rows of a table have about this many numbers."""
    return max(1, numbers // table.shape[1])


def _shrink(top: Tensor) -> Tensor:
    """Return the powers of two that scale positive numbers into [0.5, 1) exactly; 1 for values of at most 2^-500."""
    safe = torch.where(top > 2.0**-500, top, 1.0)
    return torch.frexp(safe).mantissa / safe


def _sum(terms: Tensor) -> Tensor:
    """Sum over the last dimension by folding halves in place, which fixes the order of additions."""
    width = terms.shape[-1]
    while width > 1:
        half, odd = divmod(width, 2)
        terms[..., :half] += terms[..., half : 2 * half]
        if odd:
            terms[..., :1] += terms[..., width - 1 : width]
        width = half
    return terms[..., 0]


def _key_of_columns(rows: Tensor, columns: Tensor, *, distance: str) -> Tensor:
    """Return the (q, n) keys of (D, q, 1) rows with (D, 1, n) columns, with the additions of `_key`."""
    if distance == "cosine":
        return -_sum((rows * columns).movedim(0, 2))
    return _sum((rows - columns).square_().movedim(0, 2))


def _key(rows: Tensor, others: Tensor, *, distance: str) -> Tensor:
    """Return the keys of pairs of rows, which are overwritten."""
    if distance == "cosine":
        return -_sum(rows.mul_(others))
    return _sum(rows.sub_(others).square_())


def _rough(exact: Tensor, *, distance: str, numbers: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return `left`, `right` and `band` of `Points`.

    Centred rows c = x - m keep the products small if the embeddings are close together. Then |x_i - x_j|² / 2 =
    b_i + b_j - c_i·c_j with b = |c|²/2, and -x_i·x_j = b_i + b_j - c_i·c_j - m·m with b = -m·c. `left` holds
    rows (c, b, 1), `right` rows (-c, 1, b), scaled by a power of two against overflow.
    """
    mean = exact[:: max(1, len(exact) // _CENTRED)].mean(0)
    parts = torch.split(exact, at_once(exact, numbers=numbers))
    centred = [_centred(part, mean) for part in parts]
    norm, dot = (torch.cat(column) for column in zip(*centred, strict=True))
    scale = _shrink(norm.amax())
    shift = norm**2 / 2 if distance == "euclidean" else -dot
    left = torch.empty(len(exact), exact.shape[1] + 2, dtype=torch.float32, device=exact.device)
    right = torch.empty_like(left)
    for part, row, column in zip(parts, *(torch.split(table, len(parts[0])) for table in (left, right)), strict=True):
        row[:, :-2] = (part - mean).mul_(scale)
        torch.neg(row[:, :-2], out=column[:, :-2])
    left[:, -2] = right[:, -1] = shift * scale**2
    left[:, -1] = right[:, -2] = 1.0
    return left, right, _band(norm, shift, far=norm.amax() + mean.norm(), terms=len(mean) + 20, scale=scale)


def _centred(part: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Return the norms of rows from the centre, and the products of these differences with the centre."""
    rows = part - mean
    return torch.linalg.vector_norm(rows, dim=1), rows @ mean


def _band(norm: Tensor, shift: Tensor, *, far: Tensor, terms: int, scale: Tensor) -> Tensor:
    """Return twice a bound on the error of each row's products, relative to the computed float64 keys.

    The error of a dot product of n terms is at most n·u / (1 - n·u) times the product of the norms, for any order of
    the sum. See Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1. `terms` exceeds
    D + 2 by enough for the rounding of the inputs and of sums with the band. The second part covers float64: the
    keys, the means, and the centring of rows with norms of at most `far`.
    """
    size = norm * norm.amax() + shift.abs() + shift.abs().amax()
    error = terms * _ROUND32 / (1 - terms * _ROUND32) * size + 8 * terms * _ROUND64 * far**2
    return (2.02 * scale**2 * error + 2.0**-100).clamp(max=1e30).float()
