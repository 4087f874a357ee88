"""A study under inspection: its files, its problems so far, and the study itself where there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.check.needs import Bound, Location, NeedPath, StudyValues, filled, parse_need
from realitycheck.check.rules import loss_rules, protocol_rules, rate_rules, recipe_rules, study_rules
from realitycheck.check.rules.base import Made, Rule, rules_of
from realitycheck.check.rules.study_rules import is_an_address
from realitycheck.check.sections import MISSING
from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import parts
from realitycheck.protocol.document import Fault
from realitycheck.protocol.read import ReadStudy, StudyFiles
from realitycheck.protocol.study_file import completed
from realitycheck.protocol.yaml_lines import Keys

FILE_RULES = rules_of(protocol_rules, recipe_rules, rate_rules, study_rules, loss_rules)
"""What the files of a study are held to, without an import of what they name."""


NAMED = ("loss.address", "dataset.address", "protocol.recipe.trunk.name", "protocol@<dataset>.recipe.trunk.name")
"""What can be an address of a class."""

OURS = "realitycheck."
"""How addresses of this package begin."""


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """What rules found in another process.

    Args:
        files: name of a file → its problems, and the values that were refused.
        across: problems that concern several files.
    """

    files: dict[str, tuple[list[Problem], set[Keys]]]
    across: list[Problem]


class Inspection:
    """The three files of a study and all that is wrong with them; `apply` adds what rules find.

    Attributes:
        step: called before each use of a rule, with the address that the rule is about to use, or with nothing.
    """

    def __init__(self, files: StudyFiles) -> None:
        self.files = files
        self.values = StudyValues(files)
        self.step: Callable[[str], None] | None = None
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

    def addresses(self) -> list[str]:
        """The addresses of other packages that the study names, in the order of the file."""
        return list(self._named())

    def leave_out(self, address: str, *, fault: Fault | None = None) -> None:
        """Make an address missing, with what is wrong with it, so that no rule uses it."""
        for place in self._named().get(address, ()):
            sections = self.values.sections[place.file]
            sections.refuse(place.keys)
            if fault is None:
                continue
            problem = sections.document.lines.problem(place.shown, fault.code, fault.says)
            own = place.file == "study"
            problems = sections.problems if own else self._across
            problem = problem if own else self.files.at_protocol(sections.document, problem)
            if problem not in problems:
                problems.append(problem)

    def findings(self) -> RuleFindings:
        """All that was found so far."""
        sections = self.values.sections.items()
        return RuleFindings({name: (one.problems, one.refused) for name, one in sections}, self._across)

    def adopt(self, findings: RuleFindings) -> None:
        """Take over what a copy of this inspection found in another process."""
        for name, (problems, refused) in findings.files.items():
            sections = self.values.sections[name]
            sections.problems, sections.refused = list(problems), set(refused)
        self._across = list(findings.across)

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

    def _named(self) -> dict[str, list[Location]]:
        """Address → where it is written."""
        named: dict[str, list[Location]] = {}
        for need in map(parse_need, NAMED):
            for bound in self.values.bindings([need]):
                for part in _addresses_in(self.values.value(need, bound)):
                    named.setdefault(part, []).append(self.values.place(need, bound))
        return named

    def _report_step(self, values: Sequence[Any]) -> None:
        if self.step:
            self.step(next((part for value in values for part in _addresses_in(value)), ""))

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
                self._report_step(values)
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


def _addresses_in(value: Any) -> list[str]:
    """The addresses of other packages in a name of a loss, dataset or trunk; none in any other value."""
    names = parts(value) if isinstance(value, str) else ()
    return [name for name in names if is_an_address(name) and not name.startswith(OURS)]
