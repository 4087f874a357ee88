"""The table of docs/reliability.md: what the longest tests counted, when, of which commit, on which machine."""

from __future__ import annotations

import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- chaos -->", "<!-- end of chaos -->"


def record(test: str, counts: str) -> None:
    """Write the row of a test, in the place of its earlier one."""
    commit = subprocess.run(
        ["git", "-C", str(PAGE.parent), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    today = datetime.now(UTC).date().isoformat()
    machine = f"{platform.system()} {platform.machine()}, {_processor()}"
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    table, _, tail = rest.partition(END)
    rows = {match[1]: match[0] for match in re.finditer(r"^\| ([^|]+?) \|.*\|$", table, flags=re.MULTILINE)}
    rows = {name: row for name, row in rows.items() if name != "test" and not set(name) <= {"-"}}
    rows[test] = f"| {test} | {counts} | {today} | {commit.stdout.strip() or 'unknown'} | {machine} |"
    lines = [
        "| test | counts | date | commit | machine |",
        "|---|---|---|---|---|",
        *(rows[name] for name in sorted(rows)),
    ]
    PAGE.write_text(head + BEGIN + "\n" + "\n".join(lines) + "\n" + END + tail, encoding="utf-8")


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    match = re.search(r"model name\s*: (.*)", text)
    return match[1] if match else platform.processor()
