"""A cursor is taken back only by the list that made it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.errors import InvalidCursor
from hookspan.manage._cursor import Cursors

CURSORS = Cursors("a key that all nodes share")


@given(st.text(max_size=50), st.lists(st.integers(min_value=0, max_value=2**63 - 1), min_size=1, max_size=3))
def test_a_cursor_comes_back_as_it_was_written(of, idents):
    """For any list and any place in it; short enough for the parameter that takes it."""
    cursor = CURSORS.write(of, *idents)
    assert CURSORS.read(of, cursor) == tuple(idents)
    assert len(cursor) <= 64


def test_another_list_refuses_it():
    """The same list with other filters is another list."""
    cursor = CURSORS.write("events/1?type=None", 17)
    with pytest.raises(InvalidCursor):
        CURSORS.read("events/1?type='a.b'", cursor)


@pytest.mark.parametrize("idents", [(17,), (3, 0, 17)])
def test_every_single_changed_character_is_noticed(idents):
    """Tampering never moves a list to another place."""
    cursor = CURSORS.write("events/1", *idents)
    for place in range(len(cursor)):
        for letter in "Aa0_-Z":
            changed = cursor[:place] + letter + cursor[place + 1 :]
            if changed != cursor:
                with pytest.raises(InvalidCursor):
                    CURSORS.read("events/1", changed)


@pytest.mark.parametrize("text", ["", "x", "====", "é", "A" * 22, "A" * 64, "../../etc", "\x00"])
def test_what_was_never_a_cursor_is_refused(text):
    """Hostile text is refused like any other."""
    with pytest.raises(InvalidCursor):
        CURSORS.read("events/1", text)


def test_another_installation_refuses_it():
    """The key is part of the mark."""
    with pytest.raises(InvalidCursor):
        Cursors("another key").read("events/1", CURSORS.write("events/1", 17))
