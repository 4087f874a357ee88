"""The losses of a study file: names, wrappers, spaces, published settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realitycheck.losses.menu import MENU, entry, parts
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.names import Found, is_address, known_problems
from realitycheck.protocol.paper_settings import first_setting, published
from realitycheck.protocol.rate_checks import rate_ranges
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.space import Space, inside
from realitycheck.protocol.yaml_lines import Keys


def loss_problems(label: str, options: Mapping[str, Any]) -> Found:
    """What is wrong with one loss of a study, whatever the protocol."""
    here: Keys = ("losses", label)
    name = options.get("loss", label)
    if not isinstance(name, str):
        return
    keys = (*here, "loss") if "loss" in options else here
    for part in parts(name):
        yield from known_problems(keys, part, MENU, "loss")
    yield from _wrapped(keys, *parts(name))
    face = entry(name)
    for key in ("distance", "family"):
        if is_address(name) and options.get(key) is None:
            yield (*here, key), f"must be given for a loss by address; got nothing. Add `{key}: …`."
        if face and options.get(key) is not None:
            yield (*here, key), f"must be left to the menu, which says {getattr(face, key)}. Remove it."
    yield from rate_ranges((*here, "space"), options.get("space"))
    if is_address(name) and options.get("space") is None:
        yield (*here, "space"), "must be given for a loss by address; got nothing. Add `space: {knob: range}`."


def _wrapped(keys: Keys, outer: str, inner: str | None = None) -> Found:
    """A wrapper wraps a loss of its kind, and nothing else wraps."""
    face, within = MENU.get(outer), MENU.get(inner or "")
    wrapped_family = face.wraps if face else None
    if wrapped_family and inner is None:
        yield (
            keys,
            f"must wrap a loss; got '{outer}' alone. Write `{outer}(contrastive)`, with a loss of {wrapped_family}.",
        )
    if face and inner is not None and not wrapped_family:
        wrappers = [name for name, each in MENU.items() if each.wraps]
        yield keys, f"must be a wrapper before the brackets; got '{outer}'. Wrappers are {', '.join(wrappers)}."
    if wrapped_family and within and within.family != wrapped_family:
        yield keys, f"must wrap a loss of {wrapped_family}; got '{inner}', of {within.family}. Wrap another."


def space_problems(
    label: str, options: Mapping[str, Any], protocol: Protocol, spaces: Mapping[str, Space], source: str
) -> Found:
    """Where a loss's space is missing, or meets the protocol's shared knobs."""
    here: Keys = ("losses", label)
    name, space = str(options.get("loss", label)), options.get("space")
    lacking = [part for part in parts(name) if part in MENU and part not in spaces]
    if space is None and entry(name) and lacking:
        yield here, f"must have a space; got none here, nor of {lacking[0]} in {source}. Add `space: {{knob: range}}`."
    told = {knob for part in parts(name) for knob in spaces.get(part, {})}
    knobs = told if space is None else set(space) if isinstance(space, dict) else set()
    for knob in sorted(protocol.search.shared.keys() & knobs):
        says = f"must be left out, the protocol searches {knob} for every loss; got it again. Remove it."
        yield (*here, "space", knob), says


def setting_problems(label: str, options: Mapping[str, Any], protocol: Protocol, spaces: Mapping[str, Space]) -> Found:
    """A search that begins with a published setting has one, inside its ranges."""
    here: Keys = ("losses", label)
    name, setting = str(options.get("loss", label)), options.get("setting")
    if protocol.search.first is None:
        if setting is not None:
            yield (
                (*here, "setting"),
                "must be left out unless the protocol says `first: published`; got one. Remove it.",
            )
        return
    knobs = first_setting(name, setting if isinstance(setting, str) else None)
    if knobs is None:
        known = sorted(published().get(parts(name)[0], {}))
        hint = nearest(str(setting), known) if known else "Only losses of the menu have one."
        yield (*here, "setting") if setting else here, f"must have a published setting; got {setting or 'none'}. {hint}"
        return
    space = options.get("space") or {knob: each for part in parts(name) for knob, each in spaces.get(part, {}).items()}
    for knob, value in knobs.items():
        if knob in space and not inside(value, space[knob]):
            yield here, f"must have its published {knob} within its range; got {value}. Widen the range."


def batch_problems(label: str, options: Mapping[str, Any], protocol: Protocol) -> Found:
    """A loss that needs several images of a class gets them."""
    face = entry(str(options.get("loss", label)))
    batch = protocol.batches.of(face.family) if face else None
    if face and batch and batch.per_class < face.least_per_class:
        least, got = face.least_per_class, batch.per_class
        says = f"must have batches with {least} or more images of a class; got {got}. Raise the protocol's per_class."
        yield ("losses", label), says
