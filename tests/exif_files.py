"""Small image files of every kind, with EXIF data written by hand."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

SIDE = 16
RED, BLUE = (255, 0, 0), (0, 0, 255)
HALVES = np.zeros((SIDE, SIDE, 3), np.uint8)
HALVES[:, : SIDE // 2], HALVES[:, SIDE // 2 :] = RED, BLUE
"""Red on the left, blue on the right."""

ORIENTATION = (0x112, 3, 1, struct.pack("<HH", 6, 0))


def tiff(*entries, next_ifd=0, count=None):
    """EXIF data of one directory, written by hand; `count` is how many entries it claims."""
    head = b"II*\0" + struct.pack("<IH", 8, len(entries) if count is None else count)
    return (
        head + b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries) + struct.pack("<I", next_ifd)
    )


def encoded(kind, pixels=HALVES, **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def jpeg(exif, *, claims=None):
    plain, load = encoded("JPEG", quality=95), b"Exif\0\0" + exif
    size = len(load) + 2 if claims is None else claims
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", size) + load + plain[2:]


def png(exif):
    plain = encoded("PNG")
    body = b"eXIf" + exif
    return plain[:33] + struct.pack(">I", len(exif)) + body + struct.pack(">I", zlib.crc32(body)) + plain[33:]


def webp(exif):
    body = encoded("WEBP", lossless=True)[12:] + b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2)
    canvas = struct.pack("<I", SIDE - 1)[:3]
    body = b"VP8X" + struct.pack("<I", 10) + bytes([0x08, 0, 0, 0]) + canvas + canvas + body
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
