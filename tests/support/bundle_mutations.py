"""Seeded structured changes of proof bundles, none of which a verifier may accept.

`Target.make()` builds bundles and everything that their verifier holds, as bytes, so that it can
be handed to other processes; `Mutator` changes the bundles and verifies what comes out. Some
changes are signed again by the custodian's own key, and some answer a request that was changed
along with them, so that what refuses is the proof and not the first signature on the way.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from proofs import envelope
from proofs.arguments import proof_lengths
from proofs.canonical import sha256_label
from proofs.envelope import PayloadType
from proofs.facts import FactList
from proofs.ids import digest_of
from proofs.labels import LISTING
from proofs.list_statement import compile_list
from proofs.listing import Listing
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.request import Request, RequestedDocument, SetReference
from proofs.statement import compile_facts
from proofs.trust import Trust
from proofs.verify import Verified, verify_bundle
from support import bundles, portfolio
from support.json_mutations import compact, mutate, nudged_text, spell

LISTED = ("capacity", "annual_yield", "fuel", "owner")
LITERALS = ("20", "60", "8.00", "2019-01-01", "Guangdong", "@fuels", "@sanctions", "not in", "each")


@dataclass(frozen=True, slots=True)
class Original:
    """A bundle that verifies, its request, and the lengths of the proof's parts."""

    bundle: bytes
    request: bytes
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What is attacked, and what the verifier holds: its trust file, its sets, its clock."""

    originals: tuple[Original, ...]
    donors: tuple[bytes, ...]
    trust: bytes
    sets: tuple[bytes, ...]
    now: datetime

    @classmethod
    def make(cls) -> Target:
        """Two bundles to be changed, and valid ones of other requests to take nodes from."""
        wide, narrow = bundles.good(), bundles.small()
        other = bundles.request(nonce="6b" * 32)
        fewer = bundles.request(("capacity in 20..60 MW", "fuel in @fuels"))
        later = bundles.context_for(wide[0].request, expires=bundles.NOW + timedelta(days=9))
        whole = portfolio.full(3)
        packed = portfolio.full(
            3,
            manifest=portfolio.manifest_file(portfolio.holdings(3), LISTED),
            chosen_by="manifest",
        )
        listed = [(found, found.build()) for found in (whole, packed)]
        return cls(
            originals=(
                *(
                    Original(data, found.request.data, _lengths(found))
                    for found, data in (wide, narrow)
                ),
                *(
                    Original(data, found.request.data, _list_lengths(found))
                    for found, data in listed
                ),
            ),
            donors=(
                *(data for _, data in listed),
                portfolio.full(4, nonce="6b" * 32).build(),
                portfolio.full(3, chosen_by="request").build(),
                wide[1],
                narrow[1],
                bundles.answering(wide[0], other).build(),
                bundles.answering(wide[0], fewer).build(),
                # Of the very same request and grant: differs in the context and the proof only.
                replace(wide[0], context=later).build(),
            ),
            trust=bundles.trust_text().encode(),
            sets=tuple(each.export() for each in bundles.sets()),
            now=bundles.NOW,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """Changed bytes and the request that the verifier holds."""

    data: bytes
    request: bytes


class Mutator:
    """Changes one target's bundles in every way known here, and verifies them."""

    def __init__(self, target: Target) -> None:
        self._originals = target.originals
        self._donors = [json.loads(data) for data in target.donors]
        self._valid = {original.bundle for original in target.originals}
        self._trust = Trust.parse(target.trust)
        self._sets = [NamedSet.parse(data) for data in target.sets]
        self._now = target.now
        self._key = bundles.private_key(bundles.CUSTODIAN)
        self.kinds: dict[str, Callable[[Original, random.Random], Candidate]] = {
            "a JSON node changed": self._tree,
            "in a payload, not signed again": self._payload,
            "in a payload, signed again": self._signed_again,
            "attested and granted again": self._attested_again,
            "asked and granted again": self._asked_again,
            "facts exchanged": self._facts,
            "parts of the proof exchanged": self._proof,
            "another spelling": self._spelling,
            "cut off or extended": self._length,
        }

    def verify(self, candidate: Candidate) -> Verified:
        """What a verifier does who holds the candidate's request."""
        return verify_bundle(
            candidate.data,
            trust=self._trust,
            expectation=Expectation.for_request(candidate.request),
            sets=self._sets,
            now=self._now,
        )

    def draw(self, kind: str, rng: random.Random) -> Candidate:
        """A candidate of a kind that is no valid bundle as it stands."""
        while True:
            (original,) = rng.choices(self._originals, weights=(4, 3, 2, 2))
            candidate = self.kinds[kind](original, rng)
            if candidate.data not in self._valid:
                return candidate

    def _donor(self, tree: Any, rng: random.Random) -> Any:
        """A valid bundle that is about documents, or about a selection, as the tree is."""
        return rng.choice(
            [each for each in self._donors if ("selection" in each) == ("selection" in tree)]
        )

    def _tree(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        donor = self._donor(tree, rng)
        if rng.random() < 0.3:
            return Candidate(compact(mutate(tree, rng, donor)), original.request)
        # Each part of a bundle as often as the schema, which has the most nodes.
        part = rng.choice(list(tree))
        tree[part] = mutate(tree[part], rng, donor[part], plausible=rng.random() < 0.5)
        return Candidate(compact(tree), original.request)

    def _payload(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        signed, other = _envelopes(tree, self._donor(tree, rng), rng)
        payload = compact(mutate(_open(signed), rng, _open(other)))
        signed["payload"] = base64.b64encode(payload).decode()
        return Candidate(compact(tree), original.request)

    def _signed_again(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        signed, other = _envelopes(tree, self._donor(tree, rng), rng)
        self._sign(signed, mutate(_open(signed), rng, _open(other), plausible=rng.random() < 0.7))
        return Candidate(compact(tree), original.request)

    def _attested_again(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        donor = self._donor(tree, rng)
        signed, other = _evidence(tree, rng), _evidence(donor, rng)
        attested = mutate(_open(signed), rng, _open(other), plausible=rng.random() < 0.7)
        data = self._sign(signed, attested)
        granted = _open(tree["grants"][0])
        if "selection" in tree:
            _name_list(granted["selection"], tree["selection"])
        else:
            entry = granted["documents"][0]
            entry["attestation"] = digest_of(data)
            if isinstance(attested, dict):
                names = [name for name in ("document", "version") if name in attested]
                entry |= {name: attested[name] for name in names}
        self._sign(tree["grants"][0], granted)
        return Candidate(compact(tree), original.request)

    def _asked_again(self, original: Original, rng: random.Random) -> Candidate:
        """Another request, consented to: only the old proof stands against it."""
        tree = json.loads(original.bundle)
        what = rng.choice(("context", "facts", "sets", "facts", "context"))
        if what == "facts":
            tree["facts"] = _other_facts(tree["facts"], self._donor(tree, rng)["facts"], rng)
        else:
            tree[what] = mutate(
                tree[what], rng, self._donor(tree, rng)[what], plausible=rng.random() < 0.7
            )
        asked = _request_of(tree, Request.parse(original.request))
        if asked is None:
            return Candidate(compact(tree), original.request)
        granted = _open(tree["grants"][0])
        granted |= {"request": digest_of(asked), "sets": tree["sets"]}
        tree["context"]["request"] = digest_of(asked)
        self._sign(tree["grants"][0], granted)
        return Candidate(compact(tree), asked)

    def _facts(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        tree["facts"] = _other_facts(tree["facts"], self._donor(tree, rng)["facts"], rng)
        return Candidate(compact(tree), original.request)

    def _proof(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        proof = base64.b64decode(tree["proof"])
        other = base64.b64decode(self._donor(tree, rng)["proof"])
        changed = _other_proof(proof, other, original.parts, rng)
        tree["proof"] = base64.b64encode(changed).decode()
        return Candidate(compact(tree), original.request)

    def _spelling(self, original: Original, rng: random.Random) -> Candidate:
        tree = json.loads(original.bundle)
        if rng.random() < 0.5:
            signed, _ = _envelopes(tree, tree, rng)
            signed["payload"] = base64.b64encode(spell(_open(signed), rng)).decode()
            return Candidate(compact(tree), original.request)
        return Candidate(spell(tree, rng), original.request)

    def _length(self, original: Original, rng: random.Random) -> Candidate:
        data = original.bundle
        if rng.random() < 0.5:
            cut = rng.randrange(len(data))
            return Candidate(rng.choice((data[:cut], data[cut:])), original.request)
        more = rng.choice((b"\n", b" ", b"\x00", b"{}", b"\xef\xbb\xbf", data, data[:50]))
        place = rng.choice((0, len(data), rng.randrange(len(data))))
        return Candidate(data[:place] + more + data[place:], original.request)

    def _sign(self, signed: dict[str, Any], payload: Any) -> bytes:
        """Put a payload into an envelope, or a list's entry, under the custodian's signature."""
        data = compact(payload)
        kind = PayloadType(signed.get("payloadType", PayloadType.ATTESTATION.value))
        found = json.loads(envelope.sign(kind, data, self._key))
        if "sig" in signed:
            found = {"payload": found["payload"], "sig": found["signatures"][0]["sig"]}
        signed |= found
        return data


def _open(signed: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(signed["payload"]))


def _evidence(tree: Any, rng: random.Random) -> dict[str, Any]:
    """Something that attests: an envelope, an entry of a list, or a manifest."""
    if "selection" not in tree:
        found: dict[str, Any] = tree["documents"][0]["envelope"]
        return found
    selection = tree["selection"]
    chosen: dict[str, Any] = (
        selection["manifest"] if "manifest" in selection else rng.choice(selection["attested"])
    )
    return chosen


def _name_list(granted: dict[str, Any], selection: dict[str, Any]) -> None:
    """Let a grant be for a list as it stands."""
    if "manifest" in selection:
        granted["manifest"] = digest_of(base64.b64decode(selection["manifest"]["payload"]))
        return
    payloads = [base64.b64decode(each["payload"]) for each in selection["attested"]]
    digests = [bytes.fromhex(digest_of(each)) for each in payloads]
    granted |= {
        "attestations": sha256_label(LISTING, *digests).hex(),
        "count": len(payloads),
    }


def _envelopes(tree: Any, donor: Any, rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """An envelope of the tree, and one of the donor, mostly of the same kind."""
    each = [_evidence(tree, rng), tree["grants"][0]]
    other = [_evidence(donor, rng), donor["grants"][0]]
    place = rng.randrange(2)
    return each[place], other[place if rng.random() < 0.9 else 1 - place]


def _request_of(tree: Any, asked: Request) -> bytes | None:
    """The request that a changed bundle claims to answer, if there can be one."""
    try:
        context = tree["context"]
        return Request.build(
            documents=[RequestedDocument(d.alias, d.asset, d.schema) for d in asked.documents],
            selection=asked.selection,
            facts=tree["facts"],
            sets=[SetReference(**each) for each in tree["sets"]],
            audience=context["audience"],
            purpose=context["purpose"],
            nonce=context["nonce"],
            created=datetime.fromisoformat(context["requested_at"]),
            expires=datetime.fromisoformat(context["request_expires"]),
        ).data
    except Exception:  # whatever a changed tree lacks; it is then sent without a request of its own
        return None


def _other_facts(facts: list[str], others: list[str], rng: random.Random) -> list[str]:
    found, place = list(facts), rng.randrange(len(facts))
    kind = rng.randrange(5)
    if kind == 0:
        rng.shuffle(found)
    elif kind == 1:
        found[place] = rng.choice(others)
    elif kind == 2:
        found[place] = nudged_text(found[place], rng)
    elif kind == 3:
        found[place] = found[place].replace(rng.choice(LITERALS), rng.choice(LITERALS))
    else:
        found[place : place + 1] = rng.choice(([], [found[place]] * 2, others))
    return found


def _other_proof(proof: bytes, other: bytes, lengths: tuple[int, ...], rng: random.Random) -> bytes:
    parts, start = [], 0
    for length in lengths:
        parts.append(proof[start : start + length])
        start += length
    place = rng.randrange(len(parts))
    kind = rng.randrange(6)
    if kind == 0:
        swap = rng.randrange(len(parts))
        parts[place], parts[swap] = parts[swap], parts[place]
    elif kind == 1:
        at = sum(lengths[:place])
        parts[place] = other[at : at + lengths[place]]
    elif kind == 2:
        parts[place : place + 1] = rng.choice(([], [parts[place]] * 2, [other]))
    else:
        # Points of 48 and scalars of 32 bytes: all begin at multiples of 16 of their part.
        part, size = bytearray(parts[place]), rng.choice((32, 48))
        at = 16 * rng.randrange(max(1, (len(part) - size) // 16 + 1))
        if kind == 3:
            to = 16 * rng.randrange(max(1, (len(part) - size) // 16 + 1))
            part[at : at + size], part[to : to + size] = part[to : to + size], part[at : at + size]
        elif kind == 4:
            part[at : at + size] = rng.choice((bytes(size), b"\xc0" + bytes(size - 1)))
        else:
            part[at] ^= rng.choice((0x20, 0x80, 0x40, 0x01))  # a point's sign, and its marks
        parts[place] = bytes(part)
    return b"".join(parts)


def _list_lengths(found: portfolio.Portfolio) -> tuple[int, ...]:
    """The lengths of all arguments of all parts."""
    scalars = {each.name: each.scalars for each in found.used}
    listing = Listing.of([each.attestation for each in found.documents], bundles.schema())
    facts = FactList.over(found.facts, bundles.schema())
    digests = {each.name: each.header.digest for each in found.used}
    statement = compile_list(facts, bundles.schema(), listing, digests)
    return tuple(length for part in statement.parts for length in proof_lengths(part, scalars))


def _lengths(found: bundles.Parts) -> tuple[int, ...]:
    """The lengths of the parts that the proof of these facts has."""
    by_name = {each.name: each for each in found.sets}
    digests = {name: each.header.digest for name, each in by_name.items()}
    facts = FactList.parse(found.request.facts, bundles.schema())
    statement = compile_facts(facts, bundles.schema(), digests)
    return tuple(proof_lengths(statement, {each.name: each.scalars for each in found.sets}))
