"""`doctor` finds files that are not those that a study was begun with."""

from __future__ import annotations

from small_study import write_study

from realitycheck import verbs


def test_changed_missing_and_new_files_are_named(tmp_path):
    read = verbs.load_study(write_study(tmp_path))
    assert verbs.examine(read) == []  # nothing to compare with yet
    verbs.prepare_data(read)
    told = []
    assert verbs.examine(read, watch=lambda title, done, count: told.append((title, done, count))) == []
    assert told == [("files of pictures", 0, 68)]

    pictures = tmp_path / "pictures"
    (pictures / "class_03" / "1.png").write_bytes((pictures / "class_04" / "1.png").read_bytes())
    (pictures / "class_05" / "2.png").unlink()
    (pictures / "class_06" / "9.png").write_bytes((pictures / "class_06" / "0.png").read_bytes())
    found = [each.says for each in verbs.examine(read)]
    assert len(found) == 3
    assert "1 are gone: class_05/2.png." in found[0]
    assert "1 have other bytes: class_03/1.png." in found[1]
    assert "1 are new: class_06/9.png." in found[2]


def test_the_machine_is_described(tmp_path):
    facts = dict(verbs.machine_facts(verbs.load_study(write_study(tmp_path))))
    assert "torch" in facts["Packages"] and "GB" in facts["Free disk"]
