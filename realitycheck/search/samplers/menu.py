"""Samplers by name, as a protocol gives them. Plain data: reading it loads neither optuna nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_HERE = "realitycheck.search.samplers"


@dataclass(frozen=True, slots=True)
class SamplerEntry:
    """One sampler.

    Args:
        address: `module:function` of a function from a `samplers.base.Turn` to an Optuna sampler.
        learns: whether its proposals depend on the values of earlier trials. It then needs start-up trials that do not,
            at least as many as a round has.
        extra: the extra of this package that installs what it needs; empty where nothing is missing.
        imports: the modules that the extra installs and that the sampler imports.
    """

    address: str
    learns: bool
    extra: str = ""
    imports: tuple[str, ...] = ()


MENU: Mapping[str, SamplerEntry] = {
    "botorch": SamplerEntry(
        f"{_HERE}.botorch:botorch", learns=True, extra="botorch", imports=("botorch", "optuna_integration")
    ),
    "gp": SamplerEntry(f"{_HERE}.gp:gp", learns=True),
    "gp_guarded": SamplerEntry(f"{_HERE}.gp_guarded:gp_guarded", learns=True),
    "qmc": SamplerEntry(f"{_HERE}.qmc:qmc", learns=False),
    "random": SamplerEntry(f"{_HERE}.random:random", learns=False),
    "tpe": SamplerEntry(f"{_HERE}.tpe:tpe", learns=True),
}
"""Name → entry. The name is what a protocol writes under `search.sampler`, and the `source` of its proposals."""
