"""Corruptions of images: bytes in, bytes out, on the CPU."""
