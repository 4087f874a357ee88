"""A search whose sampler proposes hardly anything, and a protocol that cannot be read, are said once."""

from __future__ import annotations

import pytest
from homes import marks, refused

from realitycheck import verbs
from realitycheck.check.names import study_warnings
from realitycheck.protocol.read import read_study


@pytest.mark.parametrize(("startup", "warned"), [(3, False), (4, False), (5, True), (6, True)])
def test_a_search_of_mostly_random_trials_is_warned_of(home, startup, warned):
    home.replace(home.protocol, "startup_trials: 3", f"startup_trials: {startup}")  # of six
    codes = [warning.code for warning in study_warnings(read_study(home.study))]
    assert ("startup-trials-many" in codes) is warned


def test_a_random_sampler_has_nothing_to_propose(home):
    home.replace(home.protocol, "startup_trials: 3", "startup_trials: 6")
    home.replace(home.protocol, "sampler: gp", "sampler: random")
    assert "startup-trials-many" not in [warning.code for warning in study_warnings(read_study(home.study))]


def test_overrides_of_a_protocol_that_is_not_there_are_no_problems_of_their_own(home):
    home.replace(home.study, "protocol: tiny", "protocol: tinny\noverride: {search.trials: 8, final.seeds: 4}")
    assert marks(refused(verbs.load_study, home.study)) == [(3, "protocol", "protocol-unknown")]


def test_a_study_that_is_not_there_offers_the_file_beside_it(home):
    (problem,) = refused(verbs.load_study, home.study.with_name("mien.yaml"))
    assert problem.code == "file-unreadable"
    assert f"'{home.study.name}'" in problem.says
    (problem,) = refused(verbs.load_study, home.study.with_name("zzz.yaml"))
    assert ".yaml'" not in problem.says
