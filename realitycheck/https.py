"""Open https addresses; plain http is allowed on this machine only."""

from __future__ import annotations

import urllib.request
from http.client import HTTPResponse
from typing import IO, Any
from urllib.parse import urlsplit

from realitycheck.errors import InputError

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
"""Hosts that may use plain http: this machine."""

TIMEOUT = 60.0
"""Seconds without a byte."""


def opened(address: str, *, start: int) -> HTTPResponse:
    """Open an address, from byte `start` on if its server supports ranges (status 206).

    Args:
        address: https address; redirections to http are refused.
        start: number of bytes to skip.

    Raises:
        InputError: if the address, or one that it redirects to, is not https.
        OSError: if it does not answer.
    """
    require_https(address)
    request = urllib.request.Request(address, headers={"Range": f"bytes={start}-"} if start else {})
    proxies = [urllib.request.ProxyHandler({})] if urlsplit(address).hostname in LOOPBACK else []
    answer: HTTPResponse = urllib.request.build_opener(_SafeRedirects(), *proxies).open(request, timeout=TIMEOUT)
    return answer


def require_https(address: str) -> None:
    """Require that an address is https or of this machine.

    Raises:
        InputError: if it is neither.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        says = "not allowed here: the address does not begin with https://. Use another."
        raise InputError.one(address, "address-not-https", says)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirections from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            says = f"redirects from https to {newurl}, which is not allowed. Do not trust this address."
            raise InputError.one(req.full_url, "address-redirect", says)
        require_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
