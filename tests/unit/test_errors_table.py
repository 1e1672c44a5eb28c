"""Every refusal has a status code, travels whole, and comes back as the same kind of refusal."""

from __future__ import annotations

import logging
import re
import unicodedata

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proofs.errors
import vault.errors
from proofs.errors import CannotProveError, CrossproofError
from vault.client.channel import translate
from vault.errors import InvalidInputError, UnauthenticatedError, UnavailableError, VaultError
from vault.rich_status import DETAILS_KEY, MAX_MESSAGE, pack, safe, unpack
from vault.server.errors import STATUS, answer
from vault.site_file import PrincipalRecord


def subclasses(base: type[Exception]) -> set[type[Exception]]:
    """All classes below `base`."""
    return {c for d in base.__subclasses__() for c in (d, *subclasses(d))}


EXPECTED = {
    c
    for base, module in ((VaultError, vault.errors), (CrossproofError, proofs.errors))
    for c in subclasses(base)
    if c.__module__ == module.__name__
} - {CannotProveError}


class FakeCall(grpc.RpcError):
    """What gRPC raises in a client, with only what the translation reads."""

    def __init__(self, code: grpc.StatusCode, text: str, trailing: object = ()):
        self._code, self._text, self._trailing = code, text, trailing

    def code(self) -> grpc.StatusCode:
        """The status code."""
        return self._code

    def details(self) -> str:
        """The text."""
        return self._text

    def trailing_metadata(self) -> object:
        """Pairs, or None."""
        return self._trailing


def test_every_refusal_is_in_the_table() -> None:
    """Each class of both packages has a row, and the table has no others."""
    assert set(STATUS) == EXPECTED


@pytest.mark.parametrize("kind", sorted(EXPECTED, key=lambda c: c.__name__))
def test_a_refusal_survives_the_wire(
    kind: type[VaultError] | type[CrossproofError], record: PrincipalRecord
) -> None:
    """Code, text and reason arrive; a VaultError comes back as its own class."""
    sent = kind("owner: 没有 such value")
    found = answer(sent, method="/x/Y")
    got = translate(FakeCall(found.code, found.message, found.trailing_metadata), record)
    assert found.code is STATUS[kind]
    assert (str(got), got.reason) == (str(sent), sent.reason)
    if issubclass(kind, VaultError):
        assert type(got) is kind


def test_a_field_travels(record: PrincipalRecord) -> None:
    """The field that is to blame arrives with the reason."""
    found = answer(InvalidInputError("too big", reason="TOO_BIG", field="capacity"), method="m")
    got = translate(FakeCall(found.code, found.message, found.trailing_metadata), record)
    assert (got.reason, got.field) == ("TOO_BIG", "capacity")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("canary-7f3a"),
        KeyError("canary-7f3a"),
        CannotProveError("canary-7f3a"),
        CrossproofError("canary-7f3a"),
        VaultError("canary-7f3a"),
    ],
)
def test_a_bug_tells_an_incident_and_no_value(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Unexpected exceptions, and a false statement that escaped, leave their text nowhere."""
    with caplog.at_level(logging.DEBUG):
        try:
            raise error
        except Exception as raised:
            found = answer(raised, method="/x/Y")
    assert found.code is grpc.StatusCode.INTERNAL
    incident = re.search(r"incident ([0-9a-f]{16})", found.message)
    assert incident is not None
    assert incident[1] in caplog.text
    assert "test_errors_table" in caplog.text
    for text in (found.message, caplog.text, repr(found.details)):
        assert "canary-7f3a" not in text


def test_an_incident_says_where_our_code_was(caplog: pytest.LogCaptureFixture) -> None:
    """The line of this package that a library's error came through, however deep the library is."""

    def deeper(depth: int) -> None:
        if depth:
            deeper(depth - 1)
        raise ZeroDivisionError

    try:
        # `safe` slices the text, which here runs code that is no part of this package.
        safe(type("Text", (str,), {"__getitem__": lambda *_: deeper(12)})("x"))
    except ZeroDivisionError as raised:
        answer(raised, method="/x/Y")
    assert re.search(r"test_errors_table.py:\d+ deeper < \S*rich_status.py:\d+ safe", caplog.text)
    assert caplog.text.count("deeper") == 1


def test_incidents_differ() -> None:
    """Two incidents have two ids."""
    assert answer(ValueError(), method="m").message != answer(ValueError(), method="m").message


def test_a_subclass_is_answered_as_its_base() -> None:
    """A refusal that a module derives for itself has its base's code and its own reason."""

    class NarrowError(InvalidInputError):
        reason = "NARROW"

    found = answer(NarrowError("x"), method="m")
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    details = unpack(found.trailing_metadata)
    assert details is not None
    assert details.reason == "NARROW"


def test_long_messages_are_cut() -> None:
    """A message of any length fits into the trailing headers."""
    found = answer(InvalidInputError("漢" * 100_000, field="名" * 1000), method="m")
    assert len(found.message) == MAX_MESSAGE
    assert len(found.details) < 6000


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_for_details_are_survived(data: bytes) -> None:
    """A hostile server's trailing metadata is ignored or read, and raises nothing."""
    unpack([(DETAILS_KEY, data), ("other", "x")])


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=50))
def test_a_servers_text_cannot_move_the_cursor(text: str) -> None:
    """Control and format characters of a message are replaced before they are shown."""
    shown = safe(text + "\x1b[2J\u202e\r\n\u2028\u2029")
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)
    assert not any(char in shown for char in "\x1b\u202e\r\n\u2028\u2029")


def test_details_of_another_domain_are_no_reason(record: PrincipalRecord) -> None:
    """Only this service's reasons count; a malformed reason does not either."""
    good = pack(grpc.StatusCode.NOT_FOUND, "x", reason="SOME_REASON")
    assert unpack(good.trailing_metadata) is not None
    other = (DETAILS_KEY, good.details.replace(b"crossvault", b"crossvaulT"))
    lower = pack(grpc.StatusCode.NOT_FOUND, "x", reason="lower")
    assert unpack([other]) is None
    assert unpack(lower.trailing_metadata) is None
    got = translate(FakeCall(grpc.StatusCode.NOT_FOUND, "hm", [other]), record)
    assert got.reason == "NOT_FOUND"


@pytest.mark.parametrize(
    ("code", "text", "kind", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "refused", UnavailableError, "UNREACHABLE"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "late", UnavailableError, "DEADLINE"),
        (
            grpc.StatusCode.UNAVAILABLE,
            "Hostname Verification Check failed.",
            UnauthenticatedError,
            "WRONG_SERVER",
        ),
        (grpc.StatusCode.UNKNOWN, "?", VaultError, "UNKNOWN"),
    ],
)
def test_a_broken_connection_is_named(
    record: PrincipalRecord,
    code: grpc.StatusCode,
    text: str,
    kind: type[VaultError],
    reason: str,
) -> None:
    """Without details the message says whom and where, and what may be wrong."""
    got = translate(FakeCall(code, text, None), record)
    assert type(got) is kind
    assert got.reason == reason
    assert "127.0.0.1:7000" in str(got)


@pytest.fixture
def record() -> PrincipalRecord:
    """A vault's record."""
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from proofs.principal import Principal
    from vault.crypto.keys import HpkeKey

    return PrincipalRecord(
        principal=Principal("rwa.example", "cn", "vault", "main"),
        signing_key=Ed25519PrivateKey.generate().public_key().public_bytes_raw(),
        hpke_key=HpkeKey.generate().public,
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2027, 1, 1, tzinfo=UTC),
        address="127.0.0.1:7000",
    )
