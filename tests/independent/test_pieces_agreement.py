"""Both verifiers say the same of sets in pieces: tiny ones by argument, a full one in a bundle."""

from __future__ import annotations

import json
import random
import secrets
from math import prod
from pathlib import Path
from typing import Any

import pytest
from independent import pieces_prover
from independent.apart import FILES, PLANTS_WITH_VALUES
from independent.both import first, second
from independent.issuer import AUDIENCE, NONCE, NOW, issue, set_file
from independent.second_prover import commit, drawn
from independent.second_verifier import pieces, sets
from independent.second_verifier.curve import Equation, commitment, q
from independent.second_verifier.polynomials import from_roots, over_bits, product
from independent.second_verifier.refusal import Refused, malformed_is, need, well_formed
from independent.second_verifier.transcript import Transcript

from proofs import equation, group
from proofs.errors import CrossproofError
from proofs.membership_pieces import verify_pieces
from proofs.sets import ScalarSet
from proofs.transcript import Transcript as FirstTranscript

Tree = dict[str, Any]
FILE = Path(__file__).parent.parent / "vectors" / "pieces.json"
PIECES: Tree = json.loads(FILE.read_text(encoding="utf-8"))
VECTORS: list[Tree] = PIECES["vectors"]
LABEL, TAG = "vectors", b"name"


def of_first(case: Tree) -> str:
    """What the project's verifier says of a proof on a bare transcript."""
    encoded = bytes.fromhex(case["commitment"])
    try:
        equation.check(
            verify_pieces(
                FirstTranscript(LABEL.encode()),
                group.decode_statement_points([encoded])[0],
                encoded,
                ScalarSet.from_scalars((group.scalar(int(each)) for each in case["members"]), TAG),
                bytes.fromhex(case["proof"]),
                member=case["polarity"] == "member",
                piece_size=case["piece_size"],
            )
        )
    except CrossproofError as error:
        return type(error).__name__
    return "Verified"


def of_second(case: Tree) -> str:
    """What the second verifier says of it."""
    encoded, proof = (bytes.fromhex(case[name]) for name in ("commitment", "proof"))
    member = case["polarity"] == "member"
    whole = listed([int(each) for each in case["members"]], case["piece_size"])
    try:
        with malformed_is(9, "ENCODING"):
            V = commitment(encoded)
            well_formed(len(proof) == pieces.size(whole, member), "not the length of the proof")
            found = pieces.equations(Transcript(LABEL), proof, whole, member, V, encoded)
        total = Equation()
        for each in found:
            total.add_equation(1 + secrets.randbelow(2**128 - 1), each)
        need(total.vanishes(), 9, "PROOF", "the equations do not hold")
    except Refused as refusal:
        return f"{refusal.kind.capitalize()}Error"
    return "Verified"


def listed(members: list[int], piece_size: int) -> pieces.Listed:
    """A set of scalars and how it is cut."""
    scalars = tuple(members)
    return pieces.Listed(scalars, sets.set_digest(TAG, scalars), TAG, piece_size=piece_size)


def case_of(vector: Tree) -> Tree:
    """A case of the base with changed fields, and a proof with splices at places before any."""
    case = {**PIECES["base"][vector["case"]], **vector["changes"]}
    data = bytes.fromhex(case["proof"])
    for each in sorted(vector["splices"], key=lambda each: -each["at"]):
        tail = data[each["at"] + each["remove"] :]
        data = data[: each["at"]] + bytes.fromhex(each["insert"]) + tail
    return {**case, "proof": data.hex()}


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_both_verifiers_agree_on_pieces(vector: Tree) -> None:
    """The expected outcome is that of both, down to the class of the error."""
    case = case_of(vector)
    assert (vector["expect"],) * 2 == (of_first(case), of_second(case))


MADE = [
    ([3, 7, 8, 20, q - 1], 2, 3), ([3, 7, 8, 20, q - 1], 2, 8), ([3, 7, 8, 20, q - 1], 2, q - 1),
    ([3, 7, 8, 20, q - 1], 2, 4), (list(range(8)), 1, 7), (list(range(11)), 5, 0),
    (list(range(11)), 5, 11),
]  # fmt: skip


@pytest.mark.parametrize(("members", "piece_size", "value"), MADE)
def test_proofs_made_apart_are_believed_by_both_or_by_none(
    members: list[int], piece_size: int, value: int
) -> None:
    """The second prover says which side the value is on, and that it is on the other one."""
    blinding, whole = drawn(), listed(members, piece_size)
    encoded = commit(value, blinding)
    for member in (True, False):
        proof = pieces_prover.prove(Transcript(LABEL), whole, member, value, blinding, encoded)
        case = {
            "commitment": encoded.hex(),
            "members": members,
            "piece_size": piece_size,
            "polarity": "member" if member else "not a member",
            "proof": proof.hex(),
        }
        said = "Verified" if member is (value in members) else "ProofError"
        assert (said, said) == (of_first(case), of_second(case))


def test_a_set_past_one_piece_in_a_bundle_made_apart() -> None:
    """65,537 members: one value is the only member of the last piece, the other is in none."""
    members = [-(2**62), *range(1000, 2**16 + 1000)]
    files = {**FILES, "many": set_file("many", "integer", members)}
    texts = ["huge in @many", "n not in @many"]
    case = issue(texts, PLANTS_WITH_VALUES, files, use=["many"])
    given = {"trust": case.trust, "sets": case.sets, "now": NOW}
    assert first(case.bundle, audience=AUDIENCE, nonce=NONCE, **given) == "Verified"
    assert second(case.bundle, request=case.request, **given) == "Verified"


def test_the_fast_polynomials_are_the_plain_ones() -> None:
    """Products by long numbers, and the sum over bits, against their definitions."""
    draw = random.Random(4)
    for left, right in ((1, 1), (3, 2), (70, 90), (200, 1)):
        a, b = ([draw.randrange(q) for _ in range(n)] for n in (left, right))
        a[0] = q - 1
        plain = [0] * (left + right - 1)
        for i, one in enumerate(a):
            for j, other in enumerate(b):
                plain[i + j] = (plain[i + j] + one * other) % q
        assert plain == product(a, b)
    for count in (1, 2, 63, 64, 65, 150):
        roots = tuple(draw.randrange(q) for _ in range(count))
        z, a = draw.randrange(q), from_roots(roots)
        value = sum(each * pow(z, i, q) for i, each in enumerate(a)) % q
        assert prod(z - s for s in roots) % q == value
        m, x = sets.powers(count), draw.randrange(q)
        f = [draw.randrange(q) for _ in range(m)]
        summed = sum(
            each * prod(f[j] if i >> j & 1 else x for j in range(m))
            for i, each in enumerate(a[: 2**m])
        )
        assert summed % q == over_bits(a, x, f)
