"""The losses of a study: names, wrappers, spaces, published settings."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.catalog import is_address
from realitycheck.check.rules.base import Found, not_allowed, out_of_range, rule, unknown
from realitycheck.check.rules.study_rules import known_name
from realitycheck.losses.menu import MENU, entry, parts
from realitycheck.protocol.document import Document, Fault
from realitycheck.protocol.paper_settings import DEFAULT, first_setting, published
from realitycheck.protocol.space import Space, contains


@rule("loss.address")
def loss_is_known(name: str) -> Found:
    """A loss, and what it wraps, is on the menu, or an address."""
    for part in parts(name):
        yield from known_name("loss", part, MENU)


@rule("loss.address")
def wrapper_wraps(name: str) -> Found:
    """A wrapper of the menu wraps a loss of its family, and nothing else wraps."""
    outer, *inner = parts(name)
    face = MENU.get(outer)
    if face and face.wraps and not inner:
        because = f"a wrapper takes a loss of {face.wraps}"
        yield not_allowed(
            "wrapper-empty", f"'{outer}' alone", because, f"Write the loss in brackets: `{outer}(contrastive)`."
        )
    if face and inner:
        yield from _wrapped(outer, face.wraps, inner[0])


def _wrapped(outer: str, family: str | None, inner: str) -> Iterator[Fault]:
    if family is None:
        yield unknown("wrapper-unknown", "wrapper", outer, [name for name, face in MENU.items() if face.wraps])
    elif inner in MENU and MENU[inner].family != family:
        because = f"'{outer}' wraps a loss of {family}"
        yield not_allowed(
            "wrapped-family", f"'{inner}', a loss of {MENU[inner].family},", because, "Wrap another loss."
        )


@rule("study.losses.<loss>.distance", name="loss.address")
def distance_is_given_once(distance: str | None, *, name: str) -> Found:
    """The menu has the distance of its losses; the study has it for a loss by address."""
    yield from _given_once("distance", distance, name, "`distance: cosine` or `distance: euclidean`")


@rule("study.losses.<loss>.family", name="loss.address")
def family_is_given_once(family: str | None, *, name: str) -> Found:
    """The menu has the family of its losses; the study has it for a loss by address."""
    yield from _given_once("family", family, name, "`family: pairs` or `family: proxies`")


def _given_once(key: str, value: str | None, name: str, example: str) -> Iterator[Fault]:
    face = entry(name)
    if is_address(name) and value is None:
        yield Fault(f"{key}-missing", f"missing key; add {example}.")
    if face and value is not None:
        because = f"the menu has {getattr(face, key)} for '{name}'"
        yield not_allowed(f"{key}-not-allowed", f"`{key}`", because, "Remove it.")


@rule("study.losses.<loss>.space", name="loss.address")
def space_of_an_address(space: Space | None, *, name: str) -> Found:
    """A loss by address has ranges of its own."""
    if is_address(name) and space is None:
        yield Fault(
            "space-missing",
            "missing key; add the ranges of its hyper-parameters: `space: {name: {uniform: [low, high]}}`.",
        )


@rule("study.losses.<loss>.space", name="loss.address", known="keys(spaces)", file="file.spaces")
def space_of_the_menu(space: Space | None, *, name: str, known: tuple[str, ...], file: Document) -> Found:
    """A loss of the menu has a space in the protocol's spaces, or one of its own."""
    lacking = [part for part in parts(name) if part not in known]
    if space is None and entry(name) and lacking:
        says = (
            f"missing key: {file.source} has no ranges for '{lacking[0]}'; "
            "add `space: {name: {uniform: [low, high]}}`."
        )
        yield Fault("space-missing", says)


@rule("keys(loss.space)", shared="keys(protocol.search.shared)")
def knob_is_searched_once(knobs: tuple[str, ...], *, shared: tuple[str, ...]) -> Found:
    """A knob that the protocol searches for every loss is in no space of a loss."""
    for knob in sorted({*knobs} & {*shared}):
        yield not_allowed("knob-shared", f"`{knob}`", "the protocol searches it for every loss", "Remove it.", knob)


@rule("study.losses.<loss>.setting", first="protocol.search.first", name="loss.address")
def setting_is_known(setting: str | None, *, first: str | None, name: str) -> Found:
    """A search begins with a published setting where the protocol says so, and only there."""
    if first is None:
        if setting is not None:
            because = "the protocol has no `search.first: published`"
            yield not_allowed("setting-not-allowed", "`setting`", because, "Remove it.")
    elif first_setting(name, setting) is None:
        known = sorted(published().get(parts(name)[0], {}))
        yield unknown("setting-unknown", f"published setting of '{name}':", setting or DEFAULT, known)


@rule(
    "study.losses.<loss>.setting",
    space="loss.space",
    first="protocol.search.first",
    units="protocol.search.units",
    name="loss.address",
)
def setting_within_the_space(setting: str | None, *, space: Space, first: str | None, units: str, name: str) -> Found:
    """A published setting is inside of the ranges that its search has.

    Lengths in units of a head are for `check.losses`, which imports what the names mean.
    """
    knobs = first_setting(name, setting) if first and units == "raw" else None
    for knob, value in (knobs or {}).items():
        if knob in space and not contains(space[knob], value):
            got = f"the published {knob}, {value},"
            yield out_of_range("setting-range", got, f"be in the range of {knob}", fix="Widen the range.")


@rule("protocol.batches.<family>.per_class", refuses=False, of="<family>", family="loss.family", name="loss.address")
@rule(
    "protocol.on.<other>.batches.<family>.per_class",
    refuses=False,
    of="<family>",
    family="loss.family",
    name="loss.address",
)
def batches_serve_the_loss(per_class: int, *, of: str, family: str, name: str) -> Found:
    """A loss that needs several images of a class gets them."""
    face = entry(name)
    if face and family == of and per_class < face.least_per_class:
        must = f"be at least {face.least_per_class}, which '{name}' needs"
        yield out_of_range("batch-per-class", per_class, must)
