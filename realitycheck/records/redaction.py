"""Notes without what is private: hosts, users, addresses, and paths outside the package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from realitycheck.runs import Body

PATH, ADDRESS, USER = "<path>", "<address>", "<user>"
"""What each is replaced by; the hosts are numbered: `<host 1>`, `<host 2>`, …"""

PUBLIC_USERS = {"root", "user", "runner", "ubuntu", "nobody", "admin", "docker"}
"""Names of accounts that name nobody, and are words of messages."""

KEPT = {"kind", "time", "id"}
"""Fields of a note that hold nothing private."""

_PACKAGE = Path(__file__).parents[1]

_HOST = re.compile(r"<host \d+>")

_START = r"(?:~[\w.-]*[\\/]|/(?=[\w.~-])|[A-Za-z]:[\\/]|\\\\|\.\.[\\/])"
_QUOTED_PATH = re.compile(rf"(?P<quote>['\"`])(?P<path>{_START}[^'\"`\n]*)(?P=quote)")
_BARE_PATH = re.compile(rf"(?<![\w<>.~/\\:-]){_START}[^\s'\"`,;:()\[\]{{}}<>|]*")

_GROUP = r"[0-9A-Fa-f]{1,4}"
_ZONES = "com|org|net|edu|gov|mil|int|io|ai|dev|app|cloud|local|localdomain|internal|intranet|lan|home|corp|cluster"
_COUNTRIES = (
    "ac|at|au|be|br|ca|ch|cn|cz|de|dk|es|eu|fi|fr|gr|hk|ie|il|in|it|jp|kr|mx|nl|no|nz|pt|ru|se|sg|tr|tw|uk|us|za"
)
_ADDRESSES = [
    re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"`<>]+", re.IGNORECASE),
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*"),
    re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?!\w|\.\w)"),
    re.compile(rf"(?<![\w:])(?:{_GROUP}:){{7}}{_GROUP}(?![\w:])"),
    re.compile(rf"(?<![\w:])(?:{_GROUP}(?::{_GROUP})*)?::(?:{_GROUP}(?::{_GROUP})*)(?:%\w+)?(?![\w:])"),
    re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:])"),
    re.compile(rf"(?<![\w.])(?:[\w-]+\.)+(?:{_ZONES}|example|test|invalid)(?::\d+)?(?!\w|\.\w|\()", re.IGNORECASE),
    re.compile(rf"(?<![\w.])(?:[\w-]+\.){{2,}}(?:{_COUNTRIES})(?::\d+)?(?!\w|\.\w|\()", re.IGNORECASE),
]
"""URLs, e-mail addresses, IPv4, IPv6 in full and shortened, MAC addresses, host names by their last part."""


def redacted(notes: Sequence[Body], *, folders: Sequence[Path], users: Sequence[str]) -> list[Body]:
    """Replace what is private in notes by placeholders; kinds, times, ids, order and numbers stay.

    Redacting what is redacted changes nothing.

    Args:
        notes: in order of time.
        folders: places of this machine, such as the home of its user; paths below them may hold spaces.
        users: names of users.
    """
    hosts = _numbered([str(note["host"]) for note in notes if "host" in note])
    words = {host: placeholder for host, placeholder in hosts.items() if len(host) > 1}
    words |= {user: USER for user in users if len(user) > 1 and user not in PUBLIC_USERS}
    return [_without(note, hosts=hosts, words=words, folders=folders) for note in notes]


def _numbered(hosts: Sequence[str]) -> dict[str, str]:
    """Host → placeholder, by first appearance; those that are placeholders keep their numbers."""
    seen = dict.fromkeys(hosts)
    numbers: dict[str, str] = {host: host for host in seen if _HOST.fullmatch(host)}
    free = (f"<host {number}>" for number in range(1, len(seen) + 1))
    unused = [placeholder for placeholder in free if placeholder not in numbers]
    names = [host for host in seen if host not in numbers]
    return dict(zip(names, unused, strict=False))


def _without(note: Body, *, hosts: Mapping[str, str], words: Mapping[str, str], folders: Sequence[Path]) -> Body:
    def clean(name: str, value: Any) -> Any:
        if name in KEPT:
            return value
        if name == "host":
            return hosts.get(value, value)
        return _cleaned(value, words, folders)

    return {name: clean(name, value) for name, value in note.items()}


def _cleaned(value: Any, words: Mapping[str, str], folders: Sequence[Path]) -> Any:
    if isinstance(value, dict):
        return {name: _cleaned(entry, words, folders) for name, entry in value.items()}
    if isinstance(value, list):
        return [_cleaned(entry, words, folders) for entry in value]
    return _text(value, words, folders) if isinstance(value, str) else value


def _text(text: str, words: Mapping[str, str], folders: Sequence[Path]) -> str:
    text = _ADDRESSES[0].sub(ADDRESS, text)  # before paths, which a URL holds
    text = _QUOTED_PATH.sub(lambda match: f"{match['quote']}{_path(match['path'])}{match['quote']}", text)
    for folder in sorted((str(folder) for folder in folders if len(folder.parts) > 1), key=len, reverse=True):
        text = text.replace(folder, "/folder")
    text = _BARE_PATH.sub(lambda match: _path(match.group()), text)
    for address in _ADDRESSES[1:]:
        text = address.sub(ADDRESS, text)
    for word, placeholder in words.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", placeholder, text)
    return text


def _path(path: str) -> str:
    """A file of this package by its name in it, any other path as the placeholder."""
    _, inside, rest = path.replace("\\", "/").rpartition("/realitycheck/")
    return f"realitycheck/{rest}" if inside and (_PACKAGE / rest).is_file() else PATH
