"""_files: a file is replaced as a whole, or stays as it was."""

import pytest

from distill_lib._files import replaced


def test_a_reader_sees_the_old_file_or_the_new_one_and_nothing_is_left_beside_it(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with replaced(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.parent == tmp_path
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), replaced(target) as part:
        part.write_text("half")
        1 / 0  # noqa: B018
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
