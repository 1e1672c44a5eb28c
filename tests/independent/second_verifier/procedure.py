"""The numbered procedure (section "Verification procedure"): a bundle is believed, or refused.

`verify` is all that a user of this package needs. Steps 2 and 3 are in `evidence`, the arguments
of step 9 in `proof`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from independent.second_verifier import bundle as bundles
from independent.second_verifier import (
    classes,
    encoding,
    facts,
    list_classes,
    list_facts,
    proof,
    signed_sets,
    trust,
)
from independent.second_verifier.bundle import Bundle
from independent.second_verifier.consent import Request, read_grant, read_request
from independent.second_verifier.curve import commitment
from independent.second_verifier.evidence import Evidence, evidence, signer
from independent.second_verifier.list_statement import ListStatement, compile_list
from independent.second_verifier.proof import Committed
from independent.second_verifier.refusal import malformed_is, need
from independent.second_verifier.signed_sets import SignedSet
from independent.second_verifier.statement import NamedScalars, Statement, compile_facts
from independent.second_verifier.trust import Key, Trust, begun, over


def verify(
    bundle: bytes,
    *,
    trust: bytes,
    now: str,
    sets: Sequence[bytes],
    request: bytes | None = None,
    audience: str | None = None,
    nonce: str | None = None,
    asset: str | None = None,
) -> dict[str, Any]:
    """What a bundle proves, or `Refused`.

    `trust`, `request` and `sets` are the bytes of files, `now` an instant, `nonce` 64 hex digits.
    Either `request` or `audience` is given.
    """
    with malformed_is(0, "TRUST"):
        trusted = _trusted(trust)
    with malformed_is(0, "ENCODING"):
        clock = encoding.instant(now)
        asked = None if request is None else read_request(request)
        files = [signed_sets.read(each) for each in sets]
    need((asked is None) is not (audience is None), 0, "POLICY", "a request or an audience")

    with malformed_is(1, "ENCODING"):
        read = bundles.read(bundle)
    key, key_id = signer(read, trusted, clock)  # step 2
    attested = evidence(read, key, key_id, clock)  # step 3
    _grant(read, key, key_id, attested, clock)  # steps 4 and 5
    _expectation(read, attested, asked, audience, nonce, asset)  # step 6
    named = _named_sets(read, trusted, files, clock)  # step 7
    statement = _statement(read, attested, named)  # step 8
    _proof(read, attested, statement)  # step 9
    return {
        "facts": read.facts,
        "assets": [each.asset for each in attested.rows],
        "audience": read.context.audience,
        "expires": read.context.tree["expires"],
        "sets": [each["name"] for each in read.sets],
    }


def _trusted(data: bytes) -> Trust:
    return trust.read(data)


def _grant(read: Bundle, key: Key, key_id: bytes, attested: Evidence, now: int) -> None:
    """Steps 4 and 5: the consent to exactly this, and the time of the bundle."""
    need(read.grant.key_id == key_id, 4, "GRANT", "another signer")
    need(read.grant.is_of_kind("grant"), 4, "SIGNATURE", "not a grant")
    need(read.grant.is_signed_by(key.key), 4, "SIGNATURE", "the signature does not hold")
    with malformed_is(4, "ENCODING"):
        grant = read_grant(read.grant.payload)
    need(begun(grant.granted_at, now), 4, "GRANT", "granted in the future")
    need(key.valid_at(grant.granted_at), 4, "TRUST", "granted outside the key's validity")
    need(not over(grant.expires, now), 4, "GRANT", "a grant that has expired")
    need(grant.about == attested.granted, 4, "GRANT", "a grant for other documents")
    need(grant.sets == read.sets, 4, "GRANT", "a grant for other sets")
    need(grant.request == read.context.request, 4, "GRANT", "a grant for another request")
    rebuilt = encoding.sha256(encoding.write(_rebuilt_request(read, attested))).hex()
    need(rebuilt == grant.request, 4, "GRANT", "not what was asked")

    context = read.context
    need(begun(context.not_before, now), 5, "CONTEXT", "the bundle's time has not come")
    need(not over(context.expires, now), 5, "CONTEXT", "the bundle has expired")
    need(context.not_before >= grant.not_before, 5, "CONTEXT", "it begins before the grant allows")
    ends = (grant.bundle_expires, grant.expires, *attested.ends)
    need(context.expires <= min(ends), 5, "CONTEXT", "it outlives what it rests on")


def _rebuilt_request(read: Bundle, attested: Evidence) -> encoding.Tree:
    context = read.context.tree
    request = {
        "format": "crossvault/request/v1",
        **attested.asked,
        "facts": read.facts,
        "sets": read.sets,
        "audience": context["audience"],
        "purpose": context["purpose"],
        "created": context["requested_at"],
        "expires": context["request_expires"],
    }
    if "nonce" in context:
        request["nonce"] = context["nonce"]
    return request


def _expectation(
    read: Bundle,
    attested: Evidence,
    asked: Request | None,
    audience: str | None,
    nonce: str | None,
    asset: str | None,
) -> None:
    """Step 6: made for this verifier, and for its question."""
    if asked is not None:
        audience, nonce = asked.tree["audience"], asked.tree.get("nonce")
    context = read.context
    need(context.audience == audience, 6, "CONTEXT", "made for another audience")
    need(context.nonce == nonce, 6, "CONTEXT", "another nonce")
    need(asset in (None, *(each.asset for each in attested.rows)), 6, "CONTEXT", "another asset")
    need(asked is None or context.request == asked.digest, 6, "CONTEXT", "another request")


def _named_sets(
    read: Bundle, trusted: Trust, files: Sequence[SignedSet], now: int
) -> dict[str, SignedSet]:
    """Step 7: the sets that facts are about, from files at hand and from pinned authorities."""
    found = {}
    for each in read.sets:
        name, digest = each["name"], bytes.fromhex(each["digest"])
        need(name in trusted.sets, 7, "SET", "a set that the trust file does not name")
        authority, least_version = trusted.sets[name]
        need(authority.hex() == each["authority"], 7, "SET", "a set of another authority")
        at_hand = [file for file in files if (file.name, file.digest) == (name, digest)]
        need(bool(at_hand), 7, "SET", "a set that is not at hand")
        file = max(at_hand, key=lambda file: file.version)
        key = trusted.authorities[authority]
        need(key.valid_now(now), 7, "TRUST", "the authority's key is not valid now")
        need(file.envelope.is_of_kind("set"), 7, "SIGNATURE", "not a set")
        need(file.envelope.is_signed_by(key.key), 7, "SIGNATURE", "the signature does not hold")
        need(key.valid_at(file.issued), 7, "TRUST", "issued outside the key's validity")
        need(begun(file.issued, now), 7, "SET", "issued in the future")
        need(not over(file.valid_until, now), 7, "SET", "a set that has expired")
        need(file.version >= least_version, 7, "SET", "a version that is too old")
        need(read.context.expires <= file.valid_until, 7, "SET", "the bundle outlives the set")
        found[name] = file
    return found


def _statement(
    read: Bundle, attested: Evidence, named: dict[str, SignedSet]
) -> Statement | ListStatement:
    """Step 8: the facts, about exactly these sets, allowed, and compiled here."""
    book = attested.book
    scalars = {name: NamedScalars(each.digest, each.scalars) for name, each in named.items()}
    if attested.is_list:
        return _list_statement(read, attested, named, scalars)
    with malformed_is(8, "FACT"):
        listed = [facts.read(each, book) for each in read.facts]
    used = {each.name for each in listed if isinstance(each, facts.InSet)}
    need(used == named.keys(), 8, "BINDING", "other sets than the facts'")
    with malformed_is(8, "FACT"):
        classes.check(listed, book, named)
        return compile_facts(listed, book, scalars)


def _list_statement(
    read: Bundle,
    attested: Evidence,
    named: dict[str, SignedSet],
    scalars: dict[str, NamedScalars],
) -> ListStatement:
    book, presences = attested.book, [row.presence for row in attested.rows]
    with malformed_is(8, "FACT"):
        listed = [list_facts.read(each, book) for each in read.facts]
    about = (list_facts.set_of(each) for each in listed)
    used = {each.name for each in about if each is not None}
    need(used == named.keys(), 8, "BINDING", "other sets than the facts'")
    proving = any(not isinstance(each, list_facts.Count) for each in listed)
    need(proving, 8, "FACT", "facts that prove nothing")
    rows = [list_facts.rows_of(each, presences) for each in listed]
    impossible = [
        each
        for each, about_rows in zip(listed, rows, strict=True)
        if not list_facts.can_hold(each, about_rows, presences)
    ]
    of_sums = [each for each in impossible if isinstance(each, list_facts.Sum)]
    reason = "absent attributes, or another number of documents"
    with malformed_is(8, "FACT"):
        one = list_classes.check_each(listed, book, named)
        need(not of_sums, 8, "BINDING", reason)
        list_classes.check_sums(listed, rows, one)
    need(not impossible, 8, "BINDING", reason)
    with malformed_is(8, "FACT"):
        return compile_list(listed, book, scalars, presences)


def _proof(read: Bundle, attested: Evidence, statement: Statement | ListStatement) -> None:
    """Step 9: the commitments that the facts are about, and the arguments."""
    commitments = {}
    for slot in statement.slots():
        row, index = divmod(slot, 64)
        encoded = attested.rows[row].commitment(index)
        need(encoded is not None, 9, "BINDING", "a fact about an absent attribute")
        with malformed_is(9, "ENCODING"):
            commitments[slot] = Committed(commitment(encoded or b""), encoded or b"")
    with malformed_is(9, "ENCODING"):
        transcript = proof.begin(read, attested.absorbed, statement, commitments)
        proof.check(transcript, read.proof, statement, commitments)
