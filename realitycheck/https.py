"""An address opened safely: over https all the way, or over http from this machine."""

from __future__ import annotations

import urllib.request
from http.client import HTTPResponse
from typing import IO, Any
from urllib.parse import urlsplit

from realitycheck.errors import InputError, Problem

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
"""The one place from which plain http is taken: this machine."""

PATIENCE = 60.0
"""Seconds without a byte."""


def opened(address: str, *, start: int) -> HTTPResponse:
    """The answer of an address, from a byte on if its server knows ranges (it answers 206 then).

    Args:
        address: https, without a detour over http.
        start: bytes that are there already.

    Raises:
        InputError: the address, or one that it leads to, is no https.
        OSError: it does not answer.
    """
    require_https(address)
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})
    proxies = [urllib.request.ProxyHandler({})] if urlsplit(address).hostname in LOOPBACK else []
    answer: HTTPResponse = urllib.request.build_opener(_SafeRedirects(), *proxies).open(request, timeout=PATIENCE)
    return answer


def require_https(address: str) -> None:
    """Refuse an address that is neither https nor of this machine.

    Raises:
        InputError: it is so.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise wrong(address, "must be an address that begins with https://; it is not. Use another.")


def wrong(address: str, says: str) -> InputError:
    """A problem with an address."""
    return InputError(address, [Problem(0, "", says)])


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """A redirection from https to http would let anyone between read along."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise wrong(req.full_url, f"must stay with https; it leads to {newurl}. Do not trust it.")
        require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
