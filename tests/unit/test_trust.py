"""The trust file: what it pins, what it allows, and how a key gets in."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.envelope import key_id
from proofs.errors import CrossproofError, TrustError
from proofs.trust import Trust, add_entry, check_fingerprint, entry

SCHEMA = "ab" * 32


def public_key(seed: int) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)).public_key().public_bytes_raw()


KEY, OTHER = public_key(1), public_key(2)


def custodian(**changes: object) -> dict[str, object]:
    values: dict[str, object] = {
        "name_zh": "示例托管有限公司",
        "name_en": "Example Custody Co., Ltd.",
        "key": base64.b64encode(KEY).decode(),
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2028-01-01T00:00:00Z",
        "schemas": [SCHEMA],
        "assets": ["cn-pv-*", "cn-swap-1"],
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def authority(**changes: object) -> dict[str, object]:
    values = custodian(
        key=base64.b64encode(OTHER).decode(), schemas=None, assets=None, name_en="Register"
    )
    return values | changes


def parse(*entries: str) -> Trust:
    return Trust.parse("\n".join(entries).encode())


def test_reads_what_it_pins() -> None:
    """Every field arrives, and a set name leads to one authority and a least version."""
    trust = parse(
        entry("custodian", custodian()),
        entry("authority", authority()),
        entry("set", {"name": "fuels", "authority": key_id(OTHER), "least_version": 3}),
    )
    found = trust.custodian(key_id(KEY))
    assert (found.name_zh, found.name_en, found.key) == (
        "示例托管有限公司",
        "Example Custody Co., Ltd.",
        KEY,
    )
    assert found.valid_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert (trust.set("fuels").authority, trust.set("fuels").least_version) == (key_id(OTHER), 3)
    assert trust.authority(key_id(OTHER)).name_en == "Register"


def test_takes_a_toml_instant_too() -> None:
    """An instant written without quotes means the same."""
    text = entry("custodian", custodian()).replace('"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00Z")
    assert parse(text) == parse(entry("custodian", custodian()))


@pytest.mark.parametrize(
    "spelling",
    [
        "0001-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.5Z",
        "2026-01-01T08:00:00+08:00",
        "2026-01-01",
    ],
)
def test_other_toml_instants_are_refused(spelling: str) -> None:
    """Local times, other offsets, fractions, days, and years in which no clock can be late."""
    text = entry("custodian", custodian()).replace('"2026-01-01T00:00:00Z"', spelling)
    with pytest.raises(TrustError, match=r"1970|must be like"):
        parse(text)


def test_looks_up_only_what_is_pinned() -> None:
    """A key of one role is not found under another, nor a set name that nobody was given."""
    trust = parse(entry("custodian", custodian()), entry("authority", authority()))
    for look_up in (
        lambda: trust.custodian(key_id(OTHER)),
        lambda: trust.authority(key_id(KEY)),
        lambda: trust.set("fuels"),
    ):
        with pytest.raises(TrustError):
            look_up()


@pytest.mark.parametrize(
    ("schema", "asset", "allowed"),
    [
        (SCHEMA, "cn-pv-1", True),
        (SCHEMA, "cn-pv-", True),
        (SCHEMA, "cn-swap-1", True),
        (SCHEMA, "cn-swap-11", False),
        (SCHEMA, "cn-p", False),
        ("cd" * 32, "cn-pv-1", False),
    ],
)
def test_scope_is_schema_and_asset(schema: str, asset: str, allowed: bool) -> None:
    """An id matches itself, a pattern its beginning, and nothing else is allowed."""
    found = parse(entry("custodian", custodian())).custodian(key_id(KEY))
    if allowed:
        found.check_scope(schema=schema, asset=asset)
    else:
        with pytest.raises(TrustError, match="not trusted for"):
            found.check_scope(schema=schema, asset=asset)


@pytest.mark.parametrize(
    "changes", [{"schemas": None}, {"assets": None}, {"schemas": []}, {"assets": []}]
)
def test_a_missing_or_empty_scope_allows_nothing(changes: dict[str, object]) -> None:
    """Silence is no permission."""
    found = parse(entry("custodian", custodian(**changes))).custodian(key_id(KEY))
    with pytest.raises(TrustError, match="not trusted for"):
        found.check_scope(schema=SCHEMA, asset="cn-pv-1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "unknown key"),
        ({"name_en": None}, "name_en is missing"),
        ({"name_zh": "甲\u202e乙"}, "U\\+202E"),
        ({"name_en": ""}, "empty"),
        ({"key": "AAAA"}, "32 bytes"),
        ({"key": base64.b64encode(bytes(32)).decode()}, "small order"),
        ({"valid_from": "2026-01-01"}, "not of the form"),
        ({"valid_until": "2026-01-01T00:00:00Z"}, "valid for no time"),
        ({"valid_until": 7}, "must be like"),
        ({"schemas": ["ab"]}, "digest"),
        ({"schemas": "all"}, "list of texts"),
        ({"assets": ["*"]}, "neither an asset id"),
        ({"assets": ["cn-*-1"]}, "neither an asset id"),
    ],
)
def test_refuses_a_custodian(changes: dict[str, object], message: str) -> None:
    """Each malformed entry is refused with its own reason."""
    with pytest.raises(TrustError, match=message):
        parse(entry("custodian", custodian(**changes)))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "pins no key"),
        (["[owner]\n"], "unknown table"),
        (["custodian = 3\n"], r"write \[\[custodian\]\]"),
        (["[[custodian"], "not TOML"),
        (["x = " + "[" * 100_000], "not TOML"),
        (["a" + ".a" * 1_000_000 + " = 1\n"], "more than 256 points in line 1"),
        (["\n[" + "a." * 1_000_000 + "a]\n"], "more than 256 points in line 2"),
        (["a" + ".a" * 256 + " = 1\n"], "unknown table"),
        ([entry("custodian", custodian())] * 2, "pinned twice"),
        (
            [
                entry("custodian", custodian()),
                entry("authority", authority(key=custodian()["key"])),
            ],
            "pinned twice",
        ),
        (
            [
                entry("authority", authority()),
                *[entry("set", {"name": "fuels", "authority": key_id(OTHER)})] * 2,
            ],
            "two authorities",
        ),
        (
            [
                entry("custodian", custodian()),
                entry("set", {"name": "fuels", "authority": key_id(KEY)}),
            ],
            "no authority has its key",
        ),
        (
            [
                entry("authority", authority()),
                entry("set", {"name": "fuels", "authority": key_id(OTHER), "least_version": 0}),
            ],
            "number from 1",
        ),
        (
            [  # a number that Python would not print in the refusal of a set
                entry("authority", authority()),
                entry("set", {"name": "fuels", "authority": key_id(OTHER)}),
                "least_version = 0x" + "f" * 5000,
            ],
            "number from 1",
        ),
        ([entry("authority", authority(schemas=[SCHEMA]))], "unknown key"),
        (
            [
                entry("authority", authority()),
                entry("set", {"name": "fuels", "authority": key_id(OTHER), "newest": 1}),
            ],
            "unknown key",
        ),
        ([entry("authority", authority(name_en=7))], "name_en must be a text"),
    ],
)
def test_refuses_a_file(entries: list[str], message: str) -> None:
    """A file that says something twice, something unknown, or nothing, is refused."""
    with pytest.raises(TrustError, match=message):
        parse(*entries)


def test_refuses_bytes_that_are_not_text() -> None:
    """Neither other encodings nor endless files reach the parser."""
    with pytest.raises(TrustError, match="not UTF-8"):
        Trust.parse(b"\xff\xfe")
    with pytest.raises(TrustError, match="more than"):
        Trust.parse(b"#" * (5 << 20))


def test_adds_an_entry_and_keeps_what_was_there() -> None:
    """The old text stays as its owner wrote it, and the new entry is read back."""
    before = b"# mine\n" + entry("custodian", custodian()).encode()
    after = add_entry(before, "authority", authority())
    assert after.startswith(before)
    assert Trust.parse(after).authority(key_id(OTHER)).name_zh == "示例托管有限公司"
    with pytest.raises(TrustError, match="pinned twice"):
        add_entry(after, "authority", authority())
    with pytest.raises(TrustError, match="UTF-8"):
        add_entry(before, "authority", authority(name_en="a\udcff"))


def test_a_fingerprint_is_compared_not_believed() -> None:
    """The right one passes however it is typed; any other, and none, is refused."""
    right = key_id(KEY)
    typed = " ".join(right[i : i + 4] for i in range(0, 64, 4)).upper().replace(" ", ":", 3)
    assert check_fingerprint(KEY, typed) == right
    for wrong in (key_id(OTHER), right[:-1], "", right + "0"):
        with pytest.raises(TrustError, match="another channel"):
            check_fingerprint(KEY, wrong)
    for none in (b"", bytes(32), b"\xff" * 32):
        with pytest.raises(TrustError, match="public key"):
            check_fingerprint(none, right)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_any_name_either_comes_back_or_is_refused(name: str) -> None:
    """Quotes, backslashes and other scripts survive the file; what may not be shown is refused."""
    try:
        after = add_entry(b"", "custodian", custodian(name_zh=name))
    except CrossproofError:
        return
    assert Trust.parse(after).custodians[0].name_zh == name
