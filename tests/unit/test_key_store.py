"""Keys at rest: wrapped bytes open under their key at their place, and never after an erasure."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.crypto.wrap import NONCE_BYTES, WrapKey
from vault.errors import IntegrityError, InvalidInputError, NotFoundError
from vault.storage.key_store import KeyStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.lists(st.binary(max_size=20), max_size=4))
def test_wrapped_bytes_open_at_their_place(plain: bytes, place: list[bytes]) -> None:
    """unwrap is the inverse of wrap; the ciphertext differs every time."""
    key = WrapKey.generate()
    wrapped = key.wrap(plain, *place)
    assert key.unwrap(wrapped, *place) == plain
    assert key.wrap(plain, *place) != wrapped


@pytest.mark.parametrize("place", [(), (b"a",), (b"ab",), (b"", b"ab"), (b"a", b"b", b"")])
def test_another_place_does_not_open(place: tuple[bytes, ...]) -> None:
    """Rows of one database cannot be swapped, nor parts of a place run together."""
    key = WrapKey.generate()
    wrapped = key.wrap(b"share", b"a", b"b")
    with pytest.raises(IntegrityError):
        key.unwrap(wrapped, *place)


def test_changed_bytes_and_other_keys_do_not_open() -> None:
    """Every byte counts, and so does the length."""
    key = WrapKey.generate()
    wrapped = key.wrap(b"share", b"a")
    for at in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[at] ^= 1
        with pytest.raises(IntegrityError):
            key.unwrap(bytes(changed), b"a")
    for cut in (b"", wrapped[: NONCE_BYTES - 1], wrapped[:NONCE_BYTES], wrapped[:-1]):
        with pytest.raises(IntegrityError):
            key.unwrap(cut, b"a")
    with pytest.raises(IntegrityError):
        WrapKey.generate().unwrap(wrapped, b"a")


def test_a_key_has_one_length_and_does_not_show() -> None:
    """32 bytes; its repr holds none of them."""
    with pytest.raises(InvalidInputError, match="32 bytes"):
        WrapKey(b"short")
    key = WrapKey(b"K" * 32)
    assert "K" * 8 not in repr(key)


def test_keys_are_kept_and_erased(tmp_path: Path) -> None:
    """A key is there until it is removed; then nothing of it is in the file."""
    path = tmp_path / "keys.db"
    store = KeyStore.open(path)
    one, two = WrapKey.generate(), WrapKey.generate()
    store.add({"aa": one, "bb": two}, now=NOW)
    assert (store.get("aa"), store.get("bb")) == (one, two)
    store.remove(["aa", "never there"])
    with pytest.raises(NotFoundError, match="erased"):
        store.get("aa")
    assert store.get("bb") == two
    store.close()
    assert one.value not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_survive_a_restart(tmp_path: Path) -> None:
    """What `add` returned from is on the disk."""
    key = WrapKey.generate()
    KeyStore.open(tmp_path / "keys.db").add({"aa": key}, now=NOW)
    assert KeyStore.open(tmp_path / "keys.db").get("aa") == key


def test_old_keys_are_listed(tmp_path: Path) -> None:
    """By the time they were made, for a sweep."""
    store = KeyStore.open(tmp_path / "keys.db")
    store.add({"old": WrapKey.generate()}, now=NOW)
    store.add({"new": WrapKey.generate()}, now=NOW + timedelta(hours=2))
    assert store.older_than(NOW + timedelta(hours=1)) == ["old"]
    assert sorted(store.older_than(NOW + timedelta(hours=3))) == ["new", "old"]


def test_many_keys_come_in_the_order_asked(tmp_path: Path) -> None:
    """Over any number of queries; one that was erased refuses them all."""
    store = KeyStore.open(tmp_path / "keys.db")
    keys = {f"{number:064x}": WrapKey.generate() for number in range(1203)}
    store.add(keys, now=NOW)
    wanted = list(keys)[::-1]
    assert store.get_all(wanted) == [keys[each] for each in wanted]
    assert store.get_all([]) == []
    store.remove([wanted[7]])
    with pytest.raises(NotFoundError, match="erased"):
        store.get_all(wanted)
