"""The proof of a bundle that is otherwise made: a real one, or a stand-in of the right shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from independent import pieces_prover
from independent import second_prover as prover
from independent.second_verifier import bundle as bundles
from independent.second_verifier import (
    encoding,
    facts,
    list_facts,
    opening,
    proof,
    ranges,
    sets,
    signed_sets,
)
from independent.second_verifier.curve import generator_bytes, point, q, scalar_bytes
from independent.second_verifier.evidence import Evidence, evidence
from independent.second_verifier.list_statement import ListStatement, compile_list
from independent.second_verifier.refusal import MalformedError, Refused
from independent.second_verifier.statement import (
    LinearTerm,
    MembershipTerm,
    NamedScalars,
    OpeningTerm,
    RangeTerm,
    Statement,
    SumTerm,
    compile_facts,
)
from independent.second_verifier.trust import Key

Opened = tuple[int, int]


def prove(
    bundle: encoding.Tree,
    key: Key,
    key_id: bytes,
    files: Sequence[bytes],
    opened: Mapping[int, Opened],
    now: str,
) -> bytes:
    """A proof if openings by slots are known, else a stand-in; nothing for what is malformed."""
    try:
        read = bundles.read(encoding.write(bundle))
        attested = evidence(read, key, key_id, encoding.instant(now))
        statement = _statement(read, attested, files)
    except (MalformedError, Refused, KeyError):
        return b"\0"
    parts = statement.parts if isinstance(statement, ListStatement) else (statement,)
    if not opened:
        return b"".join(stand_in(part) for part in parts)
    commitments = {}
    for slot in statement.slots():
        encoded = attested.rows[slot // 64].commitment(slot % 64)
        if encoded is None:
            return b"\0"
        commitments[slot] = proof.Committed(point(encoded), encoded)
    whole = proof.begin(read, attested.absorbed, statement, commitments)
    transcripts = proof.transcripts(whole, statement)
    return b"".join(
        _proven(transcript, part, commitments, opened)
        for transcript, part in zip(transcripts, parts, strict=True)
    )


def _statement(
    read: bundles.Bundle, attested: Evidence, files: Sequence[bytes]
) -> Statement | ListStatement:
    named = {each.name: each for each in map(signed_sets.read, files)}
    scalars = {name: NamedScalars(each.digest, each.scalars) for name, each in named.items()}
    if attested.is_list:
        listed = [list_facts.read(each, attested.book) for each in read.facts]
        presences = [row.presence for row in attested.rows]
        return compile_list(listed, attested.book, scalars, presences)
    simple = [facts.read(each, attested.book) for each in read.facts]
    return compile_facts(simple, attested.book, scalars)


def _proven(
    transcript: proof.Transcript,
    statement: Statement,
    commitments: proof.Commitments,
    opened: Mapping[int, Opened],
) -> bytes:
    parts = []
    for term in statement.terms:
        if isinstance(term, OpeningTerm):
            encoded = commitments[term.slot].encoded
            blinding = opened[term.slot][1]
            parts.append(prover.prove_opening(transcript, term.scalar, blinding, encoded))
    absorbed, values, blindings = [], [], []
    for term in statement.terms:
        if isinstance(term, RangeTerm | LinearTerm | SumTerm):
            absorbed.append(proof.claim(term, commitments).absorbed)
            pairs, constant = _sum(term)
            values.append((sum(c * opened[slot][0] for slot, c in pairs) + constant) % q)
            blindings.append(sum(c * opened[slot][1] for slot, c in pairs) % q)
    if values:
        parts.append(prover.prove_range(transcript, absorbed, values, blindings, statement.digits))
    for term in statement.terms:
        if isinstance(term, MembershipTerm):
            encoded = commitments[term.slot].encoded
            given = (term.member, *opened[term.slot], encoded)
            parts.append(pieces_prover.prove(transcript, proof.listed(term), *given))
    return b"".join(parts)


def _sum(term: RangeTerm | LinearTerm | SumTerm) -> tuple[list[tuple[int, int]], int]:
    """Slots with their coefficients, and a constant."""
    if isinstance(term, RangeTerm):
        return [(term.slot, term.sign)], -term.sign * term.bound
    if isinstance(term, LinearTerm):
        return list(term.form.coefficients), term.form.constant
    pairs = [(slot, c) for place, c in term.form.coefficients for slot in term.slots_of(place)]
    return pairs, term.form.constant


def stand_in(statement: Statement) -> bytes:
    """Points and scalars where a proof has some, and nothing behind them."""
    G, one = generator_bytes("G"), scalar_bytes(1)
    found = (G + one) * sum(isinstance(term, OpeningTerm) for term in statement.terms)
    assert len(G + one) == opening.SIZE
    count = sum(isinstance(term, RangeTerm | LinearTerm | SumTerm) for term in statement.terms)
    if count:
        rounds, linear, norm = ranges.shape(count, statement.digits)
        found += G * (4 + 2 * rounds) + one * (linear + norm)
    for term in statement.terms:
        if isinstance(term, MembershipTerm):
            sizes = proof.listed(term).sizes
            counts = [sets.powers(each) for each in sizes]
            if term.member:
                found += G * sum(m + 3 for m in counts) + one * (len(counts) - 1)
                found += one * sum(m + 3 for m in counts)
            else:
                found += b"".join(G * (m + 4) + one * (m + 3) for m in counts)
    return found
