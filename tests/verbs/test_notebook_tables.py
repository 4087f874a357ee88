"""What a notebook shows of a study: tables of HTML, and one that is replaced while a study runs."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import ModuleType

import pytest

from realitycheck.errors import InputError
from realitycheck.search.standing import Standing
from realitycheck.verbs import Activity, NotebookProgress, StudyResult
from realitycheck.verbs.html_tables import html_table


class Cells(HTMLParser):
    """The texts of a table's cells, row by row, and those of the lines below."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.notes, self.tag = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert not attrs
        self.tag = tag
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        if self.tag == "div":
            self.notes.append(data)
        else:
            self.rows[-1].append(data)


STANDING = Standing("birds", "triplet", 1, 2, (8, 12), (0, 20), (0, 5), 1, 0.2345)


def test_a_text_is_escaped():
    table = Cells(html_table(["<b>"], [["a & <script>"]], notes=["x < y"]))
    assert (table.rows, table.notes) == ([["<b>"], ["a & <script>"]], ["x < y"])


def test_a_result_shows_every_search_and_what_is_left_over():
    result = StudyResult(left=("birds/triplet: no memory",), alarms=("ab12",), standings=(STANDING,))
    table = Cells(result._repr_html_())
    assert table.rows[1] == ["birds/triplet/2", "8 of 12", "0 of 20", "0 of 5", "1", "23.45"]
    assert table.notes == ["birds/triplet: no memory", "alarm: ab12"]
    assert len(Cells(StudyResult((), (), ())._repr_html_()).notes) == 1


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, shown):
        self.shown.append(shown._repr_html_())


@pytest.fixture
def handle(monkeypatch):
    """What a stand-in of IPython gives for a table that can be replaced."""
    handle, module = Handle(), ModuleType("IPython.display")

    def display(shown, *, display_id):
        assert display_id and not handle.shown
        handle.update(shown)
        return handle

    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return handle


def test_the_progress_is_one_table_that_changes(handle):
    watch = NotebookProgress()
    job = Activity("birds/triplet, fold 1", elsewhere=False)
    for standings, running in (([STANDING], [job]), ([STANDING], [job]), ([STANDING], [])):
        watch(standings, running)
    assert [Cells(html).notes for html in handle.shown] == [["birds/triplet, fold 1"], []]


def test_outside_of_a_notebook_the_progress_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(InputError) as raised:
        NotebookProgress()([STANDING], [])
    assert [problem.code for problem in raised.value.problems] == ["notebook-missing"]
