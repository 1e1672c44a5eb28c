"""The numbered procedure (section "Verification procedure"): a bundle is believed, or refused.

`verify` is all that a user of this package needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from independent.second_verifier import bundle as bundles
from independent.second_verifier import classes, encoding, facts, proof, signed_sets, trust
from independent.second_verifier.book import Book
from independent.second_verifier.bundle import Bundle
from independent.second_verifier.curve import commitment
from independent.second_verifier.documents import (
    Attestation,
    Request,
    read_attestation,
    read_grant,
    read_request,
)
from independent.second_verifier.proof import Committed
from independent.second_verifier.refusal import MalformedError, Refused, need
from independent.second_verifier.schema import Schema
from independent.second_verifier.schema import read as read_schema
from independent.second_verifier.signed_sets import SignedSet
from independent.second_verifier.statement import NamedScalars, Statement, compile_facts
from independent.second_verifier.trust import Key, Trust, begun, over


@contextmanager
def malformed_is(step: int, kind: str) -> Iterator[None]:
    """Gives what is malformed the step and class of where it was found."""
    try:
        yield
    except MalformedError as error:
        raise Refused(step, kind, str(error)) from error


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
    signer = _signer(read, trusted, clock)  # step 2
    attested, book = _attestations(read, signer, clock)  # step 3
    _grant(read, signer, attested, clock)  # steps 4 and 5
    _expectation(read, attested, asked, audience, nonce, asset)  # step 6
    named = _named_sets(read, trusted, files, clock)  # step 7
    statement = _statement(read, book, named)  # step 8
    _proof(read, attested, statement)  # step 9
    return {
        "facts": read.facts,
        "assets": [each.asset for each in attested],
        "audience": read.context.audience,
        "expires": read.context.tree["expires"],
        "sets": [each["name"] for each in read.sets],
    }


def _trusted(data: bytes) -> Trust:
    return trust.read(data)


def _signer(read: Bundle, trusted: Trust, now: int) -> Key:
    """Step 2: one custodian whose key is valid now signed all attestations."""
    first = read.documents[0].envelope.key_id
    for each in read.documents:
        need(each.envelope.key_id == first, 2, "TRUST", "attestations of two keys")
    need(first in trusted.custodians, 2, "TRUST", "not a custodian that is pinned")
    key = trusted.custodians[first]
    need(key.valid_now(now), 2, "TRUST", "the custodian's key is not valid now")
    for each in read.documents:
        need(each.envelope.is_of_kind("attestation"), 2, "SIGNATURE", "not an attestation")
        need(each.envelope.is_signed_by(key.key), 2, "SIGNATURE", "the signature does not hold")
    return key


def _attestations(read: Bundle, key: Key, now: int) -> tuple[tuple[Attestation, ...], Book]:
    """Step 3: what was attested, and the schemas that say how to read it."""
    digests = [each.digest for each in read.schemas]
    need(digests == sorted(set(digests)), 3, "BINDING", "schemas out of order, or one twice")
    schemas = dict(zip(digests, read.schemas, strict=True))
    found: list[Attestation] = []
    followed: list[tuple[str, Schema]] = []
    for entry in read.documents:
        with malformed_is(3, "ENCODING"):
            each = read_attestation(entry.envelope.payload)
        need(begun(each.attested_at, now), 3, "BINDING", "attested in the future")
        need(key.valid_at(each.attested_at), 3, "TRUST", "attested outside the key's validity")
        need(not over(each.valid_until, now), 3, "BINDING", "an attestation that has expired")
        need(each.schema in schemas, 3, "BINDING", "a schema that is not carried")
        with malformed_is(3, "ENCODING"):
            schema = read_schema(schemas[each.schema].tree)
        fits = len(each.presence) == len(schema.attributes) and all(
            mark == "1" or attribute.optional
            for mark, attribute in zip(each.presence, schema.attributes, strict=True)
        )
        need(fits, 3, "BINDING", "marks that the schema does not allow")
        need(each.schema in key.schemas, 3, "TRUST", "a schema out of the custodian's scope")
        need(key.vouches_for(each.asset), 3, "TRUST", "an asset out of the custodian's scope")
        found.append(each)
        followed.append((entry.alias, schema))
    need({each.schema for each in found} == schemas.keys(), 3, "BINDING", "an unused schema")
    for twice in (
        [each.document for each in found],
        [each.envelope.payload for each in read.documents],
        [(each.asset, each.schema) for each in found],
    ):
        need(len(set(twice)) == len(found), 3, "BINDING", "a document twice")
    return tuple(found), Book(tuple(followed))


def _grant(read: Bundle, key: Key, attested: tuple[Attestation, ...], now: int) -> None:
    """Steps 4 and 5: the consent to exactly this, and the time of the bundle."""
    need(read.grant.key_id == read.documents[0].envelope.key_id, 4, "GRANT", "another signer")
    need(read.grant.is_of_kind("grant"), 4, "SIGNATURE", "not a grant")
    need(read.grant.is_signed_by(key.key), 4, "SIGNATURE", "the signature does not hold")
    with malformed_is(4, "ENCODING"):
        grant = read_grant(read.grant.payload)
    need(begun(grant.granted_at, now), 4, "GRANT", "granted in the future")
    need(key.valid_at(grant.granted_at), 4, "TRUST", "granted outside the key's validity")
    need(not over(grant.expires, now), 4, "GRANT", "a grant that has expired")
    documents = [
        {
            "alias": entry.alias,
            "attestation": encoding.sha256(entry.envelope.payload).hex(),
            "document": each.document,
            "version": each.version,
        }
        for entry, each in zip(read.documents, attested, strict=True)
    ]
    need(grant.documents == documents, 4, "GRANT", "a grant for other documents")
    need(grant.sets == read.sets, 4, "GRANT", "a grant for other sets")
    need(grant.request == read.context.request, 4, "GRANT", "a grant for another request")
    rebuilt = encoding.sha256(encoding.write(_rebuilt_request(read, attested))).hex()
    need(rebuilt == grant.request, 4, "GRANT", "not what was asked")

    context = read.context
    need(begun(context.not_before, now), 5, "CONTEXT", "the bundle's time has not come")
    need(not over(context.expires, now), 5, "CONTEXT", "the bundle has expired")
    need(context.not_before >= grant.not_before, 5, "CONTEXT", "it begins before the grant allows")
    ends = [grant.bundle_expires, grant.expires, *(each.valid_until for each in attested)]
    need(context.expires <= min(ends), 5, "CONTEXT", "it outlives what it rests on")


def _rebuilt_request(read: Bundle, attested: tuple[Attestation, ...]) -> encoding.Tree:
    context = read.context.tree
    request = {
        "format": "crossvault/request/v1",
        "documents": [
            {"alias": entry.alias, "asset": each.asset, "schema": each.schema.hex()}
            for entry, each in zip(read.documents, attested, strict=True)
        ],
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
    attested: tuple[Attestation, ...],
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
    need(asset in (None, *(each.asset for each in attested)), 6, "CONTEXT", "another asset")
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


def _statement(read: Bundle, book: Book, named: dict[str, SignedSet]) -> Statement:
    """Step 8: the facts, about exactly these sets, allowed, and compiled here."""
    with malformed_is(8, "FACT"):
        listed = [facts.read(each, book) for each in read.facts]
    about = [each for each in listed if isinstance(each, facts.InSet)]
    need({each.name for each in about} == named.keys(), 8, "BINDING", "other sets than the facts'")
    with malformed_is(8, "FACT"):
        classes.check(listed, book, named)
        scalars = {name: NamedScalars(each.digest, each.scalars) for name, each in named.items()}
        return compile_facts(listed, book, scalars)


def _proof(read: Bundle, attested: tuple[Attestation, ...], statement: Statement) -> None:
    """Step 9: the commitments that the facts are about, and the arguments."""
    commitments = {}
    for slot in statement.slots():
        document, index = divmod(slot, 64)
        presence = attested[document].presence
        need(presence[index] == "1", 9, "BINDING", "a fact about an absent attribute")
        encoded = attested[document].commitments[presence[:index].count("1")]
        with malformed_is(9, "ENCODING"):
            commitments[slot] = Committed(commitment(encoded), encoded)
    with malformed_is(9, "ENCODING"):
        transcript = proof.begin(read, attested, statement, commitments)
        proof.check(transcript, read.proof, statement, commitments)
