"""A custodian and an authority of our own: bundles that the first implementation had no part in.

Everything is signed as the specification says, with an `edit` called on each tree before it is
signed or written, so that a test changes one thing and the rest still fits. The proof is a real
one by `second_prover`, or a stand-in of the right shape, which nobody believes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from independent import second_prover as prover
from independent.second_verifier import bundle as bundles
from independent.second_verifier import encoding, facts, proof, ranges, sets, signed_sets
from independent.second_verifier import schema as schemas
from independent.second_verifier.book import Book
from independent.second_verifier.curve import generator_bytes, q, scalar_bytes
from independent.second_verifier.curve import point as decoded
from independent.second_verifier.documents import Attestation, read_attestation
from independent.second_verifier.encoding import Tree
from independent.second_verifier.refusal import MalformedError
from independent.second_verifier.schema import Value
from independent.second_verifier.statement import (
    LinearTerm,
    MembershipTerm,
    NamedScalars,
    OpeningTerm,
    RangeTerm,
    Statement,
    compile_facts,
)

NOW = "2026-06-15T12:00:00Z"
AUDIENCE, NONCE = "Aud", "5a" * 32
CID = "bafyreiaha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4"

Edit = Callable[[str, Tree], None]
Opened = tuple[int, int]


def unchanged(part: str, tree: Tree) -> None:
    """Edits nothing."""


class Signer:
    """An Ed25519 key made from a name."""

    def __init__(self, name: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
        self.public = self._key.public_key().public_bytes_raw()
        self.key_id = hashlib.sha256(self.public).hexdigest()

    def envelope(self, kind: str, payload: bytes) -> Tree:
        """A signed envelope."""
        payload_type = f"application/vnd.crossvault.{kind}.v1+json"
        head = b"DSSEv1 %d %s %d " % (len(payload_type), payload_type.encode(), len(payload))
        signature = {"keyid": self.key_id, "sig": _base64(self._key.sign(head + payload))}
        return {
            "payload": _base64(payload),
            "payloadType": payload_type,
            "signatures": [signature],
        }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


CUSTODIAN, AUTHORITY, STRANGER = Signer("custodian"), Signer("authority"), Signer("stranger")


def attribute(name: str, kind: str, sensitivity: str = "asset", **more: Any) -> Tree:
    """An attribute of a schema."""
    label = {"en": name, "zh": name}
    common = {"name": name, "type": kind, "class": sensitivity, "label": label, "values": 1}
    return {"optional": False, **common, **more}


def schema(*attributes: Tree) -> Tree:
    """A schema."""
    return {
        "format": "crossvault/schema/v1",
        "name": "x",
        "title": {"en": "x", "zh": "x"},
        "normaliser": "v1",
        "time_zone": "Asia/Shanghai",
        "attributes": list(attributes),
    }


def digest_of(tree: Tree) -> str:
    """SHA-256 of canonical JSON."""
    return encoding.sha256(encoding.write(tree)).hex()


def set_file(
    name: str,
    kind: str,
    members: Sequence[Value],
    *,
    edit: Edit = unchanged,
    signer: Signer = AUTHORITY,
    scale: int = 0,
    unit: str = "",
) -> bytes:
    """A set's file; `edit` is called on the header."""
    ordered = sorted(members)  # type: ignore[type-var]
    scalars = tuple(schemas.value_scalar(kind, each) for each in ordered)
    header = {
        "format": "crossvault/set/v1", "name": name, "version": 1, "attribute_type": kind,
        "scale": scale, "unit": unit, "normaliser": "v1", "issued": "2026-06-01T00:00:00Z",
        "valid_until": "2027-01-01T00:00:00Z", "source": "s", "as_of": "2026-01-01",
        "count": len(ordered),
        "digest": sets.set_digest(schemas.type_tag(kind, scale, unit), scalars).hex(),
    }  # fmt: skip
    edit("set", header)
    lines = [encoding.write(signer.envelope("set", encoding.write(header)))]
    lines += [_line(each, kind, scale).encode() for each in ordered]
    return b"".join(line + b"\n" for line in lines)


def _line(member: Value, kind: str, scale: int) -> str:
    if isinstance(member, str):
        return member
    if kind == "date":
        return (encoding.EPOCH + timedelta(days=member)).isoformat()
    digits = str(abs(member)).rjust(scale + 1, "0")
    places = digits[len(digits) - scale :]
    sign = "-" if member < 0 else ""
    return sign + digits[: len(digits) - scale] + ("." + places if scale else "")


@dataclass(frozen=True)
class Document:
    """What stands behind one alias; `values` are those attested, None for an absent one."""

    alias: str
    asset: str
    schema: Tree
    values: Sequence[Value | None] = ()


@dataclass(frozen=True)
class Case:
    """What a verifier is given."""

    bundle: bytes
    trust: bytes
    sets: tuple[bytes, ...]
    request: bytes


def trust_file(digests: Sequence[str], names: Sequence[str], edit: Edit = unchanged) -> bytes:
    """A trust file; `edit` is called on the entries as a tree."""
    validity = {"valid_from": "2026-01-01T00:00:00Z", "valid_until": "2028-01-01T00:00:00Z"}
    custodian = {
        "name_zh": "c", "name_en": "c", "key": _base64(CUSTODIAN.public), **validity,
        "schemas": list(digests), "assets": ["cn-*"],
    }  # fmt: skip
    authority = {"name_zh": "a", "name_en": "a", "key": _base64(AUTHORITY.public), **validity}
    named = [{"name": name, "authority": AUTHORITY.key_id} for name in names]
    tree: Tree = {"custodian": [custodian], "authority": [authority], "set": named}
    edit("trust", tree)
    lines: list[str] = []
    for table, entries in tree.items():
        for entry in entries:
            lines.append(f"[[{table}]]")
            # A JSON text, number or list of texts is one of TOML too.
            lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    return "\n".join(lines).encode() + b"\n"


def issue(
    texts: Sequence[str],
    documents: Sequence[Document],
    files: Mapping[str, bytes],
    *,
    use: Sequence[str] = (),
    edit: Edit = unchanged,
    grantor: Signer = CUSTODIAN,
) -> Case:
    """A bundle about the named sets of `files` in `use`, with everything that goes with it."""
    references = [
        {"name": name, "authority": AUTHORITY.key_id, "digest": _header(files[name])["digest"]}
        for name in sorted(use)
    ]
    by_digest = {digest_of(each.schema): each.schema for each in documents}
    opened: dict[int, Opened] = {}
    entries, attested, payloads = [], [], []
    for index, each in enumerate(documents):
        tree, openings = _attestation(index, each)
        opened.update(openings)
        edit("attestation", tree)
        attested.append(tree)
        payloads.append(encoding.write(tree))
        envelope = CUSTODIAN.envelope("attestation", payloads[-1])
        entries.append({"alias": each.alias, "kind": "attestation", "envelope": envelope})
    context: Tree = {
        "audience": AUDIENCE, "purpose": "Pur", "nonce": NONCE,
        "requested_at": "2026-06-10T00:00:00Z", "request_expires": "2026-06-20T00:00:00Z",
        "not_before": "2026-06-15T11:00:00Z", "expires": "2026-06-30T00:00:00Z",
    }  # fmt: skip
    edit("context", context)
    request = {
        "format": "crossvault/request/v1",
        "documents": [
            {"alias": each.alias, "asset": tree["asset"], "schema": tree["schema"]}
            for each, tree in zip(documents, attested, strict=True)
        ],
        "facts": list(texts), "sets": references, "audience": context["audience"],
        "purpose": context["purpose"], "created": context["requested_at"],
        "expires": context["request_expires"],
    }  # fmt: skip
    request.update({"nonce": context["nonce"]} if "nonce" in context else {})
    edit("request", request)
    written = encoding.write(request)
    context["request"] = encoding.sha256(written).hex()
    grant: Tree = {
        "format": "crossvault/grant/v1", "request": context["request"],
        "asker": "spiffe://example.org/hk/spv/x",
        "documents": [
            {
                "alias": each.alias, "document": tree["document"], "version": tree["version"],
                "attestation": encoding.sha256(payload).hex(),
            }
            for each, tree, payload in zip(documents, attested, payloads, strict=True)
        ],
        "sets": references, "not_before": "2026-06-10T00:00:00Z",
        "bundle_expires": "2026-07-15T00:00:00Z", "granted_at": "2026-06-12T00:00:00Z",
        "expires": "2026-07-15T00:00:00Z",
    }  # fmt: skip
    edit("grant", grant)
    bundle: Tree = {
        "format": "crossvault/bundle/v1", "context": context,
        "schemas": [by_digest[digest] for digest in sorted(by_digest)],
        "documents": entries, "grants": [grantor.envelope("grant", encoding.write(grant))],
        "facts": list(texts), "sets": references, "proof": "",
    }  # fmt: skip
    bundle["proof"] = _base64(_proof(bundle, files, opened))
    edit("bundle", bundle)
    return Case(
        encoding.write(bundle),
        trust_file(sorted(by_digest), sorted(files), edit),
        tuple(files.values()),
        written,
    )


def _header(file: bytes) -> Tree:
    envelope = json.loads(file.partition(b"\n")[0])
    return dict(json.loads(base64.b64decode(envelope["payload"])))


def _attestation(index: int, document: Document) -> tuple[Tree, dict[int, Opened]]:
    """A payload; without values, every attribute has some point of the subgroup."""
    count = len(document.schema["attributes"])
    openings: dict[int, Opened] = {}
    if document.values:
        presence = "".join("0" if each is None else "1" for each in document.values)
        points = []
        for place, value in enumerate(document.values):
            if value is not None:
                kind = document.schema["attributes"][place]["type"]
                opened = schemas.value_scalar(kind, value), prover.drawn()
                openings[64 * index + place] = opened
                points.append(prover.commit(*opened))
    else:
        presence = "1" * count
        points = [generator_bytes(f"G_{(3 * index + place) % 16}") for place in range(count)]
    return {
        "format": "crossvault/attestation/v1", "document": f"{index + 1:032x}", "version": 1,
        "asset": document.asset,
        "schema": digest_of(document.schema),
        "as_of": {"from": "2026-01-01", "to": "2026-01-31"},
        "attested_at": "2026-06-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z",
        "asset_part": CID, "presence": presence, "commitments": _base64(b"".join(points)),
    }, openings  # fmt: skip


def _proof(bundle: Tree, files: Mapping[str, bytes], opened: Mapping[int, Opened]) -> bytes:
    """A proof if the values are known, else a stand-in; nothing for a bundle that is malformed."""
    try:
        read = bundles.read(encoding.write(bundle))
        attested = tuple(read_attestation(each.envelope.payload) for each in read.documents)
        schema_of = {each.digest: schemas.read(each.tree) for each in read.schemas}
        book = Book(
            tuple(
                (entry.alias, schema_of[each.schema])
                for entry, each in zip(read.documents, attested, strict=True)
            )
        )
        named = {name: signed_sets.read(file) for name, file in files.items()}
        statement = compile_facts(
            [facts.read(each, book) for each in read.facts],
            book,
            {name: NamedScalars(each.digest, each.scalars) for name, each in named.items()},
        )
    except (MalformedError, KeyError):
        return b"\0"
    if not opened:
        return stand_in(statement)
    commitments = {}
    for slot in statement.slots():
        document, index = divmod(slot, 64)
        presence = attested[document].presence
        encoded = attested[document].commitments[presence[:index].count("1")]
        commitments[slot] = proof.Committed(decoded(encoded), encoded)
    transcript = proof.begin(read, _items(read, attested), statement, commitments)
    return _proven(transcript, statement, commitments, opened)


def _items(read: bundles.Bundle, attested: Sequence[Attestation]) -> list[bytes]:
    """The transcript's items about the documents."""
    return [
        encoding.frame(
            entry.alias.encode(),
            b"attestation",
            encoding.sha256(entry.envelope.payload),
            entry.envelope.key_id,
            each.schema,
        )
        for entry, each in zip(read.documents, attested, strict=True)
    ]


def _proven(
    transcript: proof.Transcript,
    statement: Statement,
    commitments: Mapping[int, proof.Committed],
    opened: Mapping[int, Opened],
) -> bytes:
    parts = []
    for term in statement.terms:
        if isinstance(term, OpeningTerm):
            V = commitments[term.slot]
            parts.append(
                prover.prove_opening(transcript, term.scalar, opened[term.slot][1], V.encoded)
            )
    absorbed, values, blindings = [], [], []
    for term in statement.terms:
        if isinstance(term, RangeTerm | LinearTerm):
            absorbed.append(proof.claim(term, commitments).absorbed)
            if isinstance(term, RangeTerm):
                pairs, constant = ((term.slot, term.sign),), -term.sign * term.bound
            else:
                pairs, constant = term.form.coefficients, term.form.constant
            value = (sum(c * opened[slot][0] for slot, c in pairs) + constant) % q
            values.append(value)
            blindings.append(sum(c * opened[slot][1] for slot, c in pairs) % q)
    if values:
        parts.append(prover.prove_range(transcript, absorbed, values, blindings, statement.digits))
    for term in statement.terms:
        if isinstance(term, MembershipTerm):
            V = commitments[term.slot]
            value, blinding = opened[term.slot]
            parts.append(
                prover.prove_membership(
                    transcript, term.scalars, term.digest, term.member, value, blinding, V.encoded
                )
            )
    return b"".join(parts)


def stand_in(statement: Statement) -> bytes:
    """Points and scalars where a proof has some, and nothing behind them."""
    G, one = generator_bytes("G"), scalar_bytes(1)
    found = b""
    for term in statement.terms:
        found += (G + one) if isinstance(term, OpeningTerm) else b""
    count = sum(isinstance(term, RangeTerm | LinearTerm) for term in statement.terms)
    if count:
        rounds, linear, norm = ranges.shape(count, statement.digits)
        found += G * (4 + 2 * rounds) + one * (linear + norm)
    for term in statement.terms:
        if isinstance(term, MembershipTerm):
            m = sets.powers(len(term.scalars))
            found += G * (3 + (not term.member) + m) + one * (m + 3)
    return found
