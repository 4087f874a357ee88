"""A study under inspection: its files, its problems so far, and the study itself where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from realitycheck.check.needs import Bound, NeedPath, StudyValues, filled, parse_need
from realitycheck.check.rules import loss_rules, protocol_rules, rate_rules, recipe_rules, study_rules
from realitycheck.check.rules.base import Made, Rule, rules_of
from realitycheck.check.sections import MISSING
from realitycheck.errors import InputError, Problem
from realitycheck.protocol.document import Fault
from realitycheck.protocol.read import ReadStudy, StudyFiles
from realitycheck.protocol.study_file import completed

FILE_RULES = rules_of(protocol_rules, recipe_rules, rate_rules, study_rules, loss_rules)
"""What the files of a study are held to, without an import of what they name."""


class Inspection:
    """The three files of a study and all that is wrong with them; `apply` adds what rules find."""

    def __init__(self, files: StudyFiles) -> None:
        self.files = files
        self.values = StudyValues(files)
        self._across: list[Problem] = []

    def apply(self, rules: Iterable[Rule]) -> None:
        """Run each rule where all its needs are sound; what one rule refuses is missing for the next."""
        for rule in rules:
            seen: set[object] = set()
            for needs in rule.needs:
                for bound, result in list(self._results(rule, needs, seen)):
                    self._take(rule, needs, bound, result)

    def provide(self, name: str, value: Any) -> None:
        """Give rules a value that is in no file, under the need `made.<name>`."""
        self.values.made[name,] = value

    def error(self) -> InputError | None:
        """All problems so far, or None."""
        study, protocol, spaces = (self.values.sections[name].problems for name in ("study", "protocol", "spaces"))
        return self.files.error([*study, *self._across], protocol, spaces)

    def study(self) -> ReadStudy:
        """The study.

        Raises:
            InputError: there are problems; it lists all of them.
        """
        if error := self.error():
            raise error
        study, protocol, spaces = (self.values.sections[name].value(()) for name in ("study", "protocol", "spaces"))
        return ReadStudy(completed(study, protocol, spaces, path=self.files.study.path), self.files)

    def _results(
        self, rule: Rule, needs: Sequence[NeedPath], seen: set[object]
    ) -> Iterator[tuple[Bound, Fault | Made]]:
        """What a rule finds. On datasets that differ in none of its needs it runs once."""
        for bound in self.values.bindings(needs):
            identity = tuple(self.values.identity(need, bound) for need in needs)
            if identity in seen:
                continue
            seen.add(identity)
            values = [self.values.value(need, bound) for need in needs]
            if not any(value is MISSING for value in values):
                yield from ((bound, result) for result in rule.results(values))

    def _take(self, rule: Rule, needs: Sequence[NeedPath], bound: Bound, result: Fault | Made) -> None:
        if isinstance(result, Made):
            self.values.made[filled(parse_need(rule.makes).path, bound)] = result.value
            return
        place = self.values.place(needs[0], bound)
        sections = self.values.sections[place.file]
        if rule.refuses:
            sections.refuse((*place.keys, *result.keys))
        says = self.values.origin(needs[0], bound, result.keys) + result.says
        problem = sections.document.lines.problem((*place.shown, *result.keys), result.code, says)
        across = place.file != "study" and not rule.file_alone(needs)
        problems = self._across if across else sections.problems
        problem = self.files.at_protocol(sections.document, problem) if across else problem
        if problem not in problems:
            problems.append(problem)
