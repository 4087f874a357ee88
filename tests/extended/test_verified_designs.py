"""Studies of every estimator and of most keys of a protocol hold when they are derived a second time."""

from __future__ import annotations

import pytest
from verify.made_studies import DESIGNS, carried_out

from realitycheck import verbs


@pytest.mark.parametrize("name", DESIGNS)
def test_a_study_holds(tmp_path, name):
    protocol, study = DESIGNS[name]
    checks = verbs.verify_study(carried_out(tmp_path, protocol=protocol, study=study))
    assert checks.problems == []
    assert checks.counted["proposals"] > 0
