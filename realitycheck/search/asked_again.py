"""`python -m realitycheck.search.asked_again`: questions to the sampler on standard input, answers on standard output.

A proposal depends on the class of arithmetic, whose variables libraries read when they load. So `verify` asks in a
process of its own that was started with them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from realitycheck.runs import Body
from realitycheck.search.posterior_mean import select
from realitycheck.search.propose import propose

ANSWERS = {"proposal": propose, "selection": select}


def answers(kind: str, payloads: Sequence[Body]) -> list[Body]:
    """The bodies of the records that answer the payloads of jobs of one kind."""
    return [ANSWERS[kind](payload, tell=lambda *heard: None) for payload in payloads]


def main() -> None:
    """Answer one request, `{"kind", "payloads"}`."""
    request = json.load(sys.stdin)
    json.dump(answers(request["kind"], request["payloads"]), sys.stdout)


if __name__ == "__main__":
    main()
