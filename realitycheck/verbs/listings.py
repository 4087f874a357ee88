"""`catalog`: the menus, as rows, and the losses as a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.losses.cards import Card, cards
from realitycheck.protocol.paper_settings import Published, published
from realitycheck.trunks.menu import MENU as TRUNKS

Rows = tuple[Sequence[str], Sequence[Sequence[str]]]
"""The head of a table, and its rows."""

FAMILIES = {"pairs": "Losses that compare images of a batch", "proxies": "Losses with class vectors"}

INTRODUCTION = """\
# The losses

Written by `realitycheck catalog losses --markdown` from the docstrings of the losses and from
`realitycheck/losses/published.yaml`.

B is the batch, D the embedding dimensions, C the training classes, x an embedding, y its class, s a cosine similarity,
d a distance. *exact* follows the authors' formula or code, *variant* departs from it by name, *reconstruction* fills
what no published formula or code tells. Every loss is tested against an oracle that is not our code. A wrapper is
written with the loss that it wraps, such as `cross_batch_memory(contrastive)`.
"""

NOT_HERE = """\
## Not on the menu

**OSAP-Loss** (Yuan et al., 2023): its abstract names three parts (a ranking function with a tighter upper bound on the
loss of average precision, a second loss on the items ranked after each positive, and a way of decomposing a large
batch) and gives the formula of none, and we found no code. Any implementation would be our own loss under its name. The
nearest losses here are `roadmap` and `smooth_ap`.
"""


def loss_cards() -> list[Card]:
    """Every loss of the menu with family, knobs, source and status."""
    return cards()


def listed(kind: str) -> Rows:
    """The head and the rows of a menu: `losses`, `datasets` or `trunks`."""
    return {"losses": _losses, "datasets": _datasets, "trunks": _trunks}[kind]()


def _losses() -> Rows:
    faces = [(each.name, each.entry, ", ".join(each.knobs)) for each in cards()]
    rows = [(name, e.family, e.distance, knobs, e.reference, e.status) for name, e, knobs in faces]
    return ("loss", "family", "distance", "knobs", "paper", "status"), rows


def _datasets() -> Rows:
    rows = [
        (name, each.title, _count(each.classes), _count(each.images), each.terms) for name, each in DATASETS.items()
    ]
    return ("dataset", "shows", "classes", "images", "terms"), rows


def _trunks() -> Rows:
    rows = [
        (name, each.title, _count(each.output_dim), each.paper, ", ".join(each.weights) or "none")
        for name, each in TRUNKS.items()
    ]
    return ("trunk", "network", "features", "paper", "known weights"), rows


def _count(number: int | None) -> str:
    return "any" if number is None else f"{number:,}"


def losses_markdown() -> str:
    """The text of `docs/losses.md`."""
    found, settings = cards(), published()
    parts = [INTRODUCTION, _table(found)]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [_section(card, settings.get(card.name, {})) for card in found if card.entry.family == family]
    return "\n".join([*parts, NOT_HERE])


def _table(found: list[Card]) -> str:
    lines = ["| loss | family | distance | knobs | paper | status |", "|---|---|---|---|---|---|"]
    for card in found:
        face = card.entry
        knobs = ", ".join(f"`{knob}`" for knob in card.knobs) or "none"
        cells = (f"[`{card.name}`](#{card.name})", face.family, face.distance, knobs, face.reference, face.status)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _section(card: Card, settings: Mapping[str, Published]) -> str:
    face = card.entry
    head = f"*{face.status}* · {face.distance} · {face.reference}"
    needs = f" · at least {face.least_per_class} images of a class in a batch" if face.least_per_class > 1 else ""
    body = [f"### {card.name}", card.summary, f"$$\n{card.formula}\n$$", *card.text, head + needs]
    known = "\n".join(f"- `{name}`: {meaning}" for name, meaning in card.arguments.items() if name in card.knobs)
    return "\n\n".join([*body, *([known] if known else []), *_settings(settings)]) + "\n"


def _settings(settings: Mapping[str, Published]) -> Iterator[str]:
    for name, each in settings.items():
        knobs = ", ".join(f"{knob} {value}" for knob, value in each.knobs.items()) or "no knobs"
        yield f"Published as `{name}`: {knobs}. {each.source}."
