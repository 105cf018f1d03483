"""Credentials at rest open only with their key and only in their place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookspan.vault import SecretUnreadable, Vault

KEY = bytes(range(32))
PLACE: dict[str, Any] = {"application_id": 7, "webhook_id": 9, "name": "secret"}


@given(st.binary(max_size=200), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.text(max_size=20))
def test_what_was_sealed_opens_in_its_place(plain, application_id, webhook_id, name):
    place: dict[str, Any] = {"application_id": application_id, "webhook_id": webhook_id, "name": name}
    assert Vault(KEY).open(Vault(KEY).seal(plain, **place), **place) == plain


@pytest.mark.parametrize("other", [{"application_id": 8}, {"webhook_id": 10}, {"name": "token"}])
def test_a_value_moved_to_another_row_does_not_open(other):
    """Someone who can write to the database can't give one webhook another's secret."""
    sealed = Vault(KEY).seal(b"s", **PLACE)
    with pytest.raises(SecretUnreadable, match="belongs to another webhook"):
        Vault(KEY).open(sealed, **{**PLACE, **other})


def test_another_key_is_told_from_damage():
    """An operator who restored a backup with the wrong key reads that, not "damaged"."""
    with pytest.raises(SecretUnreadable, match="another encryption key"):
        Vault(bytes(32)).open(Vault(KEY).seal(b"s", **PLACE), **PLACE)


def test_every_changed_bit_is_noticed():
    sealed = Vault(KEY).seal(b"secret", **PLACE)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SecretUnreadable):
            Vault(KEY).open(bytes(changed), **PLACE)


@pytest.mark.parametrize("length", [0, 1, 5, 32])
def test_a_truncated_value_is_noticed(length):
    with pytest.raises(SecretUnreadable):
        Vault(KEY).open(Vault(KEY).seal(b"secret", **PLACE)[:length], **PLACE)


def test_sealing_twice_gives_two_texts_and_never_shows_the_plain_one():
    """Nonces are random, so equal secrets can't be told from the database."""
    sealed = {Vault(KEY).seal(b"the secret", **PLACE) for _ in range(50)}
    assert len(sealed) == 50
    assert not any(b"the secret" in one for one in sealed)


def test_the_check_value_proves_the_key():
    kept = Vault(KEY).check_value()
    assert Vault(KEY).opens_check_value(kept)
    assert not Vault(bytes(32)).opens_check_value(kept)
    assert not Vault(KEY).opens_check_value(b"")
    assert not Vault(KEY).opens_check_value(Vault(KEY).seal(b"else", **PLACE))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(length):
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(length))


def test_what_is_derived_is_each_place_s_own():
    """The same from the same key, and another for another purpose, application or key."""
    derived = [
        Vault(KEY).derive("notify", application_id=1),
        Vault(KEY).derive("notify", application_id=2),
        Vault(KEY).derive("else", application_id=1),
        Vault(bytes(32)).derive("notify", application_id=1),
    ]
    assert len({len(one) for one in derived}) == 1
    assert len(derived[0]) == 32
    assert len(set(derived)) == 4
    assert Vault(KEY).derive("notify", application_id=1) == derived[0]
