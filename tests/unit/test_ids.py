"""Identities: unique, ordered by time, and refused when mistyped."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from hookspan.ids import (
    CELLS,
    EPOCH_MS,
    NODE_SLOTS,
    SLOTS,
    IdMaker,
    first_id_at,
    from_text,
    made_at_ms,
    node_slot,
    own_slot,
    to_text,
)
from tests.support.clock import VirtualClock

IDS = st.integers(min_value=0, max_value=(1 << 63) - 1)


@given(IDS)
def test_text_and_integer_are_the_same_id(ident):
    text = to_text("evt_", ident)
    assert len(text) == 4 + 23
    assert text[4:].isalnum()
    assert from_text("evt_", text) == ident


@given(IDS, IDS)
def test_texts_sort_as_their_ids(one, other):
    assert (to_text("", one) < to_text("", other)) == (one < other)


@given(IDS, st.integers(min_value=4, max_value=26), st.sampled_from("123456789ABCxyz0OIl!"))
def test_one_changed_letter_is_no_id(ident, place, letter):
    text = to_text("evt_", ident)
    changed = text[:place] + letter + text[place + 1 :]
    assert from_text("evt_", changed) == (ident if changed == text else None)


@given(st.text(max_size=40))
def test_any_other_text_is_no_id(text):
    found = from_text("evt_", text)
    assert found is None or to_text("evt_", found) == text


def test_ids_never_repeat_within_a_millisecond_nor_when_the_clock_stands():
    clock = VirtualClock()
    maker = IdMaker(clock)
    made = [maker.make() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert made_at_ms(made[0]) == clock.now_ms()
    assert made_at_ms(made[-1]) - clock.now_ms() <= 5


def test_a_block_of_ids_goes_on_where_the_last_one_ended():
    clock = VirtualClock()
    maker = IdMaker(clock, slot=3)
    made = [maker.make(), *maker.make_many(5_000), maker.make(), *maker.make_many(1)]
    assert made == sorted(set(made))
    assert maker.make_many(0) == []


def test_ids_never_repeat_across_threads():
    maker = IdMaker(VirtualClock())
    with ThreadPoolExecutor(8) as pool:
        made = [ident for part in pool.map(lambda _: [maker.make() for _ in range(500)], range(8)) for ident in part]
    assert len(set(made)) == len(made)


def test_ids_go_on_after_the_highest_kept_even_when_the_clock_was_set_back():
    clock = VirtualClock()
    maker = IdMaker(clock)
    highest = first_id_at(clock.now_ms() + 86_400_000)
    maker.start_after(highest)
    assert maker.make() > highest


def test_nodes_of_different_slots_never_make_the_same_id():
    clock = VirtualClock()
    one, other = IdMaker(clock, slot=1), IdMaker(clock, slot=2)
    assert not {one.make() for _ in range(5_000)} & {other.make() for _ in range(5_000)}


def test_cells_and_nodes_share_no_slot():
    """Of sixteen cells 63 nodes each, and the stores' own: every slot is somebody's."""
    of_nodes = {node_slot(cell, node) for cell in range(CELLS) for node in range(1, NODE_SLOTS + 1)}
    own = {own_slot(cell) for cell in range(CELLS)}
    assert (len(of_nodes), len(own)) == (CELLS * NODE_SLOTS, CELLS)
    assert of_nodes | own == set(range(SLOTS))
    assert node_slot(3, 1) == node_slot(3, NODE_SLOTS + 1) != node_slot(2, 1)


def test_a_range_of_time_is_a_range_of_ids():
    clock = VirtualClock()
    ident = IdMaker(clock, slot=1023).make()
    assert first_id_at(clock.now_ms()) <= ident < first_id_at(clock.now_ms() + 1)
    assert first_id_at(EPOCH_MS - 1) == 0
    assert first_id_at(10**18) < 1 << 63
