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
from independent.proving import Opened, prove
from independent.second_verifier import encoding, sets
from independent.second_verifier import schema as schemas
from independent.second_verifier import trust as trust_reader
from independent.second_verifier.curve import generator_bytes
from independent.second_verifier.encoding import Tree
from independent.second_verifier.refusal import MalformedError
from independent.second_verifier.schema import Value
from independent.second_verifier.selection import listing_digest, rows_digest

NOW = "2026-06-15T12:00:00Z"
AUDIENCE, NONCE = "Aud", "5a" * 32
CID = "bafyreiaha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4dqobyha4"

Edit = Callable[[str, Tree], None]


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
    chosen: Chosen | None = None,
) -> Case:
    """A bundle about the named sets of `files` in `use`, with everything that goes with it.

    With `chosen` it is about a selection, and the documents have no aliases.
    """
    references = [
        {"name": name, "authority": AUTHORITY.key_id, "digest": _header(files[name])["digest"]}
        for name in sorted(use)
    ]
    by_digest = {digest_of(each.schema): each.schema for each in documents}
    opened: dict[int, Opened] = {}
    attested, payloads = [], []
    for index, each in enumerate(documents):
        tree, openings = _attestation(index, each)
        opened.update(openings)
        edit("attestation", tree)
        attested.append(tree)
        payloads.append(encoding.write(tree))
    about = _by_alias(documents, attested, payloads)
    if chosen is not None:
        about = _by_list(chosen, documents[0].schema, attested, payloads, edit)
    context: Tree = {
        "audience": AUDIENCE, "purpose": "Pur", "nonce": NONCE,
        "requested_at": "2026-06-10T00:00:00Z", "request_expires": "2026-06-20T00:00:00Z",
        "not_before": "2026-06-15T11:00:00Z", "expires": "2026-06-30T00:00:00Z",
    }  # fmt: skip
    edit("context", context)
    request = {
        "format": "crossvault/request/v1",
        **about.asked,
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
        **about.granted,
        "sets": references, "not_before": "2026-06-10T00:00:00Z",
        "bundle_expires": "2026-07-15T00:00:00Z", "granted_at": "2026-06-12T00:00:00Z",
        "expires": "2026-07-15T00:00:00Z",
    }  # fmt: skip
    edit("grant", grant)
    bundle: Tree = {
        "format": "crossvault/bundle/v1", "context": context,
        "schemas": [by_digest[digest] for digest in sorted(by_digest)],
        **about.carried, "grants": [grantor.envelope("grant", encoding.write(grant))],
        "facts": list(texts), "sets": references, "proof": "",
    }  # fmt: skip
    trust = trust_file(sorted(by_digest), sorted(files), edit)
    try:
        key_id = bytes.fromhex(CUSTODIAN.key_id)
        key = trust_reader.read(trust).custodians[key_id]
        made = prove(bundle, key, key_id, tuple(files.values()), opened, NOW)
    except (MalformedError, KeyError):
        made = b"\0"
    bundle["proof"] = _base64(made)
    edit("bundle", bundle)
    return Case(encoding.write(bundle), trust, tuple(files.values()), written)


@dataclass(frozen=True)
class Chosen:
    """A selection: who chose, and the attributes of a manifest if there is to be one."""

    by: str = "prover"
    manifest: tuple[str, ...] = ()
    spv: str = "SPV"
    period: tuple[str, str] = ("2026-01-01", "2026-06-30")


@dataclass(frozen=True)
class About:
    """How request, grant and bundle name the documents."""

    asked: Tree
    granted: Tree
    carried: Tree


def _by_alias(
    documents: Sequence[Document], attested: Sequence[Tree], payloads: Sequence[bytes]
) -> About:
    asked, granted, carried = [], [], []
    for each, tree, payload in zip(documents, attested, payloads, strict=True):
        alias = {"alias": each.alias}
        asked.append({**alias, "asset": tree["asset"], "schema": tree["schema"]})
        digest = encoding.sha256(payload).hex()
        one = {"document": tree["document"], "version": tree["version"], "attestation": digest}
        granted.append({**alias, **one})
        envelope = CUSTODIAN.envelope("attestation", payload)
        carried.append({**alias, "kind": "attestation", "envelope": envelope})
    return About({"documents": asked}, {"documents": granted}, {"documents": carried})


def _by_list(
    chosen: Chosen,
    tree: Tree,
    attested: Sequence[Tree],
    payloads: Sequence[bytes],
    edit: Edit,
) -> About:
    listing = listing_digest([encoding.sha256(each) for each in payloads]).hex()
    asked: Tree = {"schema": digest_of(tree)}
    granted: Tree = {"count": len(payloads), "attestations": listing}
    carried: Tree = {"chosen_by": chosen.by}
    if chosen.by == "request":
        asked["assets"] = sorted(each["asset"] for each in attested)
    if chosen.by == "manifest":
        period = {"from": chosen.period[0], "to": chosen.period[1]}
        asked.update(spv=chosen.spv, period=period)
        carried.update(spv=chosen.spv, period=period)
    if chosen.manifest:
        rows = _packed(chosen.manifest, tree, attested)
        manifest = _manifest(chosen, digest_of(tree), attested, listing, rows)
        edit("manifest", manifest)
        payload = encoding.write(manifest)
        granted["manifest"] = encoding.sha256(payload).hex()
        carried.update(manifest=CUSTODIAN.envelope("portfolio", payload), rows=_base64(rows))
    else:
        envelopes = [CUSTODIAN.envelope("attestation", payload) for payload in payloads]
        signed = [(each["payload"], each["signatures"][0]["sig"]) for each in envelopes]
        carried["keyid"] = CUSTODIAN.key_id
        carried["attested"] = [{"payload": payload, "sig": sig} for payload, sig in signed]
    return About({"selection": asked}, {"selection": granted}, {"selection": carried})


def _packed(names: Sequence[str], tree: Tree, attested: Sequence[Tree]) -> bytes:
    places = [each["name"] for each in tree["attributes"]]
    rows = b""
    for each in attested:
        points = base64.b64decode(each["commitments"])
        marks, kept = "", b""
        for name in names:
            place = places.index(name)
            mark = each["presence"][place]
            marks += mark
            if mark == "1":
                at = 48 * each["presence"][:place].count("1")
                kept += points[at : at + 48]
        size = (len(names) + 7) // 8
        asset = each["asset"].encode()
        rows += bytes([len(asset)]) + asset + bytes.fromhex(each["document"])
        rows += each["version"].to_bytes(4, "big")
        rows += int(marks.ljust(8 * size, "0"), 2).to_bytes(size, "big") + kept
    return rows


def _manifest(
    chosen: Chosen, digest: str, attested: Sequence[Tree], listing: str, rows: bytes
) -> Tree:
    instants = sorted(each["attested_at"] for each in attested)
    return {
        "format": "crossvault/portfolio/v1", "spv": chosen.spv,
        "period": {"from": chosen.period[0], "to": chosen.period[1]}, "serial": 1,
        "schema": digest, "attributes": list(chosen.manifest),
        "as_of": {"from": "2026-01-01", "to": "2026-01-31", "same": True},
        "attested": {"first": instants[0], "last": instants[-1]},
        "valid_until": min(each["valid_until"] for each in attested),
        "signed_at": "2026-06-02T00:00:00Z", "count": len(attested), "attestations": listing,
        "rows": rows_digest(rows).hex(),
    }  # fmt: skip


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
