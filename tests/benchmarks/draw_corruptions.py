"""Draw docs/figures/corruptions.png, the contact sheet: `python tests/benchmarks/draw_corruptions.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from realitycheck.datasets.members.few_sketches import FewSketches
from realitycheck.evaluations.menu import CORRUPTIONS
from realitycheck.stores.corruptions.corrupted_store import corrupted

SKETCHES = (3307, 2915)
"""Which drawings: indices into `few_sketches`."""

TIMES = 3
"""Side of a pixel of a drawing."""

SIDE, GAP, NAMES = 28 * TIMES, 6, 110

COLORS = np.array([[250, 214, 120], [40, 70, 160]])
"""Paper and ink of the coloured drawing."""


def main() -> None:
    """Write the sheet."""
    width = NAMES + 2 * (6 * (SIDE + GAP) + 2 * GAP)
    sheet = Image.new("RGB", (width, 24 + len(CORRUPTIONS) * (SIDE + GAP)), "white")
    pen = ImageDraw.Draw(sheet)
    drawings = list(FewSketches().images(SKETCHES, size=28))
    for row, kind in enumerate(CORRUPTIONS):
        top = 24 + row * (SIDE + GAP)
        pen.text((4, top + SIDE // 2 - 6), kind.replace("_", " "), fill="black")
        for half, drawing in enumerate(drawings):
            left = NAMES + half * (6 * (SIDE + GAP) + 2 * GAP)
            for severity in range(6):
                place = left + severity * (SIDE + GAP)
                pen.text((place + SIDE // 2 - 2, 6), str(severity), fill="black")
                image = corrupted(_shown(drawing, kind), name=f"{kind}-{severity}")
                sheet.paste(_enlarged(image), (place, top))
    sheet.save(Path(__file__).parents[2] / "docs" / "figures" / "corruptions.png", optimize=True)


def _shown(drawing: NDArray[np.uint8], kind: str) -> NDArray[np.uint8]:
    """A drawing (1, 28, 28) as (28, 28, C): dark ink on light paper; in colours where hue is what changes."""
    ink = drawing[0][..., None] / 255
    if kind == "hue_saturation":
        return np.rint(COLORS[0] * (1 - ink) + COLORS[1] * ink).astype(np.uint8)
    return np.rint(235 - 215 * ink).astype(np.uint8)


def _enlarged(image: NDArray[np.uint8]) -> Image.Image:
    colored = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    return Image.fromarray(colored).resize((SIDE, SIDE), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
