"""Requests and grants: one form each, and a change of anything is a change of the digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import ASKER, DAY, NOW, context_for, named_set, parts, request, schema

from proofs import canonical
from proofs.canonical import Fields
from proofs.context import Context
from proofs.errors import ContextError, CrossproofError, EncodingError, PolicyError
from proofs.grant import Grant, GrantedDocument
from proofs.ids import new_document_id, new_nonce
from proofs.policy import Expectation
from proofs.principal import Principal
from proofs.request import Request, RequestedDocument


def test_a_request_is_read_back() -> None:
    """Every field arrives; the same parts give the same bytes."""
    found = request()
    assert Request.parse(found.data) == found
    assert request().digest == found.digest
    assert found.documents[0] == RequestedDocument("doc", "cn-pv-0042", schema().digest)
    assert [each.name for each in found.sets] == ["fuels", "sanctions"]


def test_a_nonce_may_be_absent_but_not_null() -> None:
    """A custodian's own proof may have none."""
    assert request(nonce=None).nonce is None
    tree = json.loads(request().data)
    tree["nonce"] = None
    with pytest.raises(EncodingError):
        Request.parse(canonical.dump(tree))


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": "Somebody"},
        {"purpose": "Another"},
        {"nonce": "00" * 32},
        {"nonce": None},
        {"created": NOW - 2 * DAY},
        {"expires": NOW + 2 * DAY},
        {"facts": ["capacity >= 1 MW"]},
        {"sets": [named_set().reference]},
        {"documents": [RequestedDocument("other", "cn-pv-0042", schema().digest)]},
        {"documents": [RequestedDocument("doc", "cn-pv-0043", schema().digest)]},
        {"documents": [RequestedDocument("doc", "cn-pv-0042", "00" * 32)]},
    ],
)
def test_every_field_is_in_the_digest(changes: dict[str, object]) -> None:
    """A grant over the digest is a grant over all of it."""
    assert request(**changes).digest != request().digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audience": ""}, "audience"),
        ({"audience": "x" * 501}, "audience"),
        ({"purpose": "two\nlines"}, "U\\+000A"),
        ({"purpose": "hid\u200bden"}, "U\\+200B"),
        ({"nonce": "5A" * 32}, "hexadecimal"),
        ({"nonce": "5a" * 31}, "nonce"),
        ({"expires": NOW - DAY}, "expires before"),
        ({"facts": []}, "facts"),
        ({"facts": ["capacity >= 1 MW"] * 2}, "twice"),
        ({"facts": [f"capacity >= {n} MW" for n in range(65)]}, "facts"),
        ({"facts": ["x" * 4097]}, "facts"),
        ({"facts": ["a >= 1", "a >= 2\x1b[2J"]}, r"facts\[1\]: character U\+001B"),
        ({"facts": ["a >= 1\na >= 2"]}, r"U\+000A"),
        ({"facts": ["a >= 1\u202e"]}, r"U\+202E"),
        ({"sets": [named_set().reference] * 2}, "order"),
        ({"documents": []}, "documents"),
        ({"documents": [RequestedDocument("doc", "a", "00" * 32)] * 2}, "documents"),
        ({"documents": [RequestedDocument("Doc", "a", "00" * 32)]}, "alias"),
        ({"documents": [RequestedDocument("doc", "*", "00" * 32)]}, "asset"),
    ],
)
def test_refuses_a_request(changes: dict[str, object], message: str) -> None:
    """Bounds, spellings and texts that move the cursor."""
    with pytest.raises(EncodingError, match=message):
        request(**changes)


def test_a_grant_is_read_back() -> None:
    """Every field arrives."""
    found = Grant.parse(parts().grant)
    assert found.request == parts().request.digest
    assert found.asker == ASKER
    assert found.documents[0].attestation == parts().attested.digest
    assert found.sets == parts().request.sets
    assert found.bundle_expires == NOW + 20 * DAY


def grant(**changes: object) -> bytes:
    return parts(grant_changes=tuple(changes.items())).grant


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"request": "00"}, "hexadecimal"),
        ({"asker": Principal.parse("spiffe://example.org/cn/holder/h1")}, "can ask"),
        ({"asker": Principal.parse("spiffe://example.org/hk/officer/o1")}, "can ask"),
        ({"documents": []}, "documents"),
        ({"documents": [GrantedDocument("doc", "x", 1, "00" * 32)]}, "document id"),
        ({"documents": [GrantedDocument("doc", "00" * 16, 0, "00" * 32)]}, "version"),
        ({"expires": NOW - DAY}, "expires before"),
        ({"bundle_expires": NOW + 21 * DAY}, "outlives"),
        ({"bundle_expires": NOW - DAY}, "empty"),
    ],
)
def test_refuses_a_grant(changes: dict[str, object], message: str) -> None:
    """Times that contradict each other, and askers that cannot ask."""
    with pytest.raises(EncodingError, match=message):
        grant(**changes)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("request", ()),
        ("request", ("documents", 0)),
        ("request", ("sets", 0)),
        ("grant", ()),
        ("grant", ("documents", 0)),
        ("grant", ("sets", 0)),
        ("context", ()),
    ],
)
def test_unknown_fields_are_refused(kind: str, place: tuple[str | int, ...]) -> None:
    """At every level: a field may mean something to another reader."""
    read: dict[str, tuple[object, Callable[[bytes], object]]] = {
        "request": (json.loads(request().data), Request.parse),
        "grant": (json.loads(parts().grant), Grant.parse),
        "context": (
            context_for(request()).to_json(),
            lambda data: Context.read(Fields(json.loads(data), "context")),
        ),
    }
    tree, parse = read[kind]
    parse(canonical.dump(tree))
    at = tree
    for step in place:
        at = at[step]  # type: ignore[index]
    at["zz"] = 1  # type: ignore[index]
    with pytest.raises(EncodingError, match="unknown field"):
        parse(canonical.dump(tree))


def test_a_custodian_may_ask_itself() -> None:
    """Its own proof carries a grant to itself."""
    asker = Principal.parse("spiffe://example.org/cn/custodian/c1")
    assert Grant.parse(grant(asker=asker)).asker == asker


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["request", "grant"]), st.data())
def test_no_two_spellings(kind: str, data: st.DataObject) -> None:
    """A changed byte is refused, or it is another request or grant."""
    parse: Callable[[bytes], Request | Grant] = Request.parse if kind == "request" else Grant.parse
    payload = bytearray(request().data if kind == "request" else parts().grant)
    before = parse(bytes(payload))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    try:
        after = parse(bytes(payload))
    except CrossproofError:
        return
    assert after.digest != before.digest


def test_a_context_is_read_back() -> None:
    """It holds what is needed to rebuild the request, and nothing is lost."""
    context = context_for(request())
    assert Context.read(Fields(context.to_json(), "context")) == context
    other = Context.answering(request(), not_before=context.not_before, expires=context.expires)
    assert other == context


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": NOW - timedelta(minutes=10)},
        {"request_expires": NOW - DAY},
        {"audience": "a\tb"},
        {"purpose": "a\tb"},
        {"nonce": "5A" * 32},
        {"request": "zz"},
        {"nonce": ""},
    ],
)
def test_refuses_a_context(changes: dict[str, object]) -> None:
    """Empty times and texts that may not be shown."""
    with pytest.raises(EncodingError):
        context_for(request(), **changes)


def test_an_expectation_names_an_audience_that_can_be() -> None:
    """What no bundle can carry is refused before any bundle is read."""
    for wrong in (
        lambda: Expectation.for_audience("", nonce=None),
        lambda: Expectation.for_audience("x" * 501, nonce=None),
        lambda: Expectation.for_audience("A", nonce="1"),
        lambda: Expectation.for_audience("A", nonce=None, assets=["*"]),
        lambda: Expectation.for_request(b"{}"),
    ):
        with pytest.raises(EncodingError):
            wrong()


def test_the_first_difference_is_named() -> None:
    """A verifier learns what differs, not only that something does."""
    expectation = Expectation.for_request(request().data)
    expectation.check(request(), ["cn-pv-0042"])
    with pytest.raises(ContextError, match="purpose"):
        expectation.check(request(purpose="Another"), ["cn-pv-0042"])
    with pytest.raises(PolicyError):
        Expectation.for_request(request().data, assets=["another"])


def test_random_ids() -> None:
    """Of the right form, and never the same."""
    assert len({new_nonce() for _ in range(50)}) == 50
    assert len(new_nonce()) == 64
    assert len(new_document_id()) == 32


def test_the_facts_of_a_request_have_at_most_64_kib_in_all() -> None:
    """One literal list after the other would keep a verifier busy for seconds."""
    many = [f"fuel in @{'a' * 4000}{number:02d}" for number in range(17)]
    assert request(("annual_yield >= 8.00%",), facts=many[:15]).facts == tuple(many[:15])
    with pytest.raises(EncodingError, match="65536"):
        request(("annual_yield >= 8.00%",), facts=many)
