"""Makes the vectors about sets in pieces: proofs on a bare transcript, with tiny pieces.

A set that takes two pieces has more than 65,536 members, too many for a slow verifier to read in
every test; so here the size of a piece is a part of the vector, as it is of no bundle. A proof
stands on a transcript that begins with the label `vectors` and nothing else. The type tag of every
set is `name`.

`pieces.json` holds the proofs, made once with randomness (`base`), and the vectors, which follow
from them: a case of the base with some of its fields changed, splices of the proof (at byte `at`,
remove `remove` bytes, insert the bytes `insert`), and `expect`, `Verified` or the class of refusal.

    python tests/vectors/pieces.py           writes the vectors again from the base
    python tests/vectors/pieces.py --base    makes the proofs anew first
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from proofs import group, membership_pieces  # noqa: E402
from proofs.errors import EncodingError  # noqa: E402
from proofs.generators import G, H  # noqa: E402
from proofs.group import ORDER, Scalar, scalar  # noqa: E402
from proofs.membership import proof_length, prove_membership  # noqa: E402
from proofs.membership_pieces import prove_pieces, simulate  # noqa: E402
from proofs.randomness import ProverRandomness  # noqa: E402
from proofs.sets import ScalarSet  # noqa: E402
from proofs.transcript import Transcript  # noqa: E402

FILE = HERE / "pieces.json"
LABEL = b"vectors"
TAG = b"name"
Tree = dict[str, Any]


def made_set(values: Iterable[int]) -> ScalarSet:
    """The set of these integers."""
    return ScalarSet.from_scalars(map(scalar, values), TAG)


# --- the base: made once, with fresh randomness -------------------------------------------------


def _case(
    values: Sequence[int], size: int, value: int, *, member: bool, proof: bytes, blinding: Scalar
) -> Tree:
    V = G.point * scalar(value) + H.point * blinding
    return {
        "commitment": group.encode_point(V).hex(),
        "members": [str(each) for each in values],
        "piece_size": size,
        "polarity": "member" if member else "not a member",
        "proof": proof.hex(),
    }


def _honest(values: Sequence[int], size: int, value: int, *, member: bool) -> Tree:
    blinding = group.random_scalar()
    V = G.point * scalar(value) + H.point * blinding
    proof = prove_pieces(
        Transcript(LABEL),
        scalar(value),
        blinding,
        group.encode_point(V),
        made_set(values),
        member=member,
        piece_size=size,
    )
    return _case(values, size, value, member=member, proof=proof, blinding=blinding)


def _simulated(values: Sequence[int], size: int, value: int) -> Tree:
    """Every piece answered at a share that was chosen first: right but for their sum."""
    blinding = group.random_scalar()
    V = G.point * scalar(value) + H.point * blinding
    pieces = made_set(values).pieces(size)
    random = ProverRandomness(Transcript(LABEL), b"")
    shares = random.scalars(len(pieces))
    answers = [
        simulate(random, V, piece.polynomial, share)
        for piece, share in zip(pieces, shares, strict=True)
    ]
    parts = [first.encode() for first, _ in answers]
    parts += [group.encode_scalar(share) for share in shares[:-1]]
    parts += [response for _, responses in answers for response in responses]
    proof = b"".join(parts)
    return _case(values, size, value, member=True, proof=proof, blinding=blinding)


def _passed_over(values: Sequence[int], size: int, value: int) -> Tree:
    """Not a member, with the piece that holds the value replaced by its neighbour."""
    blinding, members = group.random_scalar(), made_set(values)
    encoding = group.encode_point(G.point * scalar(value) + H.point * blinding)
    pieces, transcript = members.pieces(size), Transcript(LABEL)
    membership_pieces._absorb_statement(transcript, encoding, members, pieces, member=False)
    others = [piece for piece in pieces if scalar(value) not in piece]
    proof = b"".join(
        prove_membership(
            transcript,
            scalar(value),
            blinding,
            encoding,
            others[0] if scalar(value) in piece else piece,
            member=False,
        )
        for piece in pieces
    )
    return _case(values, size, value, member=False, proof=proof, blinding=blinding)


TWELVE = tuple(range(10, 22))
SIX = tuple(range(10, 16))
WIDE = (0, 5, 2**64, ORDER - 7, ORDER - 1)


def make_base() -> Tree:
    """Every proof, with fresh randomness."""
    return {
        "first": _honest(TWELVE, 4, 10, member=True),
        "second": _honest(TWELVE, 4, 15, member=True),
        "last": _honest(TWELVE, 4, 21, member=True),
        "outside": _honest(TWELVE, 4, 22, member=False),
        "one-left": _honest(TWELVE[:9], 4, 18, member=True),
        "one-left-outside": _honest(TWELVE[:9], 4, 9, member=False),
        "larger-pieces": _honest(TWELVE, 7, 12, member=True),
        "wide": _honest(WIDE, 2, ORDER - 1, member=True),
        "wide-outside": _honest(WIDE, 2, ORDER - 2, member=False),
        "six-by-four": _honest(SIX, 4, 12, member=True),
        "six-by-four-outside": _honest(SIX, 4, 9, member=False),
        "simulated": _simulated(TWELVE, 4, 30),
        "passed-over": _passed_over(TWELVE, 4, 15),
    }


# --- the vectors, without randomness ------------------------------------------------------------

HEAD = 48 * 5
SHARES = 3 * HEAD
TAIL = 32 * 5
ANSWERS = SHARES + 2 * 32
PART = proof_length(4, member=False)


def splice(at: int, remove: int, insert: bytes) -> Tree:
    """A change of the proof's bytes."""
    return {"at": at, "insert": insert.hex(), "remove": remove}


def apply(proof: bytes, splices: Sequence[Tree]) -> bytes:
    """The proof with its splices, in order."""
    for each in splices:
        at, end = each["at"], each["at"] + each["remove"]
        proof = proof[:at] + bytes.fromhex(each["insert"]) + proof[end:]
    return proof


def exchange(proof: bytes, one: int, other: int, length: int) -> list[Tree]:
    """Two stretches of one length, each in the other's place."""
    return [
        splice(one, length, proof[other : other + length]),
        splice(other, length, proof[one : one + length]),
    ]


def _is_off_curve(encoding: bytes) -> bool:
    try:
        group.decode_proof_point(encoding)
    except EncodingError:
        return True
    return False


def vectors(base: Tree) -> list[Tree]:
    """Every vector of this base."""
    proof = bytes.fromhex(base["second"]["proof"])
    outside = bytes.fromhex(base["outside"]["proof"])
    share = int.from_bytes(proof[SHARES : SHARES + 32], "big")
    shares = [proof[SHARES + 32 * k : SHARES + 32 * (k + 1)] for k in range(2)]
    response = int.from_bytes(proof[ANSWERS : ANSWERS + 32], "big")
    off_curve = next(filter(_is_off_curve, (proof[:47] + bytes([k]) for k in range(256))))

    def vector(name: str, case: str, attack: str, expect: str, *splices: Tree, **put: Any) -> Tree:
        return {
            "attack": attack,
            "case": case,
            "changes": put,
            "expect": expect,
            "name": name,
            "splices": list(splices),
        }

    right = ("first", "second", "last", "outside", "one-left", "one-left-outside")
    right += ("larger-pieces", "wide", "wide-outside", "six-by-four", "six-by-four-outside")
    found = [vector(f"pieces-{case}", case, "none", "Verified") for case in right]
    both = exchange(proof, 0, HEAD, HEAD)
    both += exchange(proof, SHARES, SHARES + 32, 32) + exchange(
        proof, ANSWERS, ANSWERS + TAIL, TAIL
    )
    moved = [str(each + 1) for each in TWELVE]
    extra = [*base["second"]["members"][:-1], "40"]
    for name, case, attack, expect, *rest in (
        ("simulated", "simulated", "every piece simulated", "ProofError"),
        ("passed-over", "passed-over", "the piece of the value left out", "ProofError"),
        ("order", "second", "two pieces exchanged with all of theirs", "ProofError", both, {}),
        (
            "order-outside",
            "outside",
            "the arguments of two pieces exchanged",
            "ProofError",
            exchange(outside, 0, PART, PART),
        ),
        (
            "twice-outside",
            "outside",
            "one piece's argument given for another",
            "ProofError",
            [splice(PART, PART, outside[:PART])],
        ),
        (
            "shares",
            "second",
            "two shares exchanged",
            "ProofError",
            exchange(proof, SHARES, SHARES + 32, 32),
        ),
        (
            "share-moved",
            "second",
            "one share larger, the last one smaller by as much",
            "ProofError",
            [splice(SHARES, 32, ((share + 1) % ORDER).to_bytes(32, "big"))],
        ),
        ("share-zero", "second", "a share of zero", "ProofError", [splice(SHARES, 32, bytes(32))]),
        (
            "share-past-order",
            "second",
            "a share in its second spelling",
            "EncodingError",
            [splice(SHARES, 32, (share + ORDER).to_bytes(32, "big"))],
        ),
        (
            "all-shares-sent",
            "second",
            "the last share sent as well",
            "EncodingError",
            [splice(ANSWERS, 0, shares[1])],
        ),
        (
            "response-past-order",
            "second",
            "a simulated piece's response in its second spelling",
            "EncodingError",
            [splice(ANSWERS, 32, (response + ORDER).to_bytes(32, "big"))],
        ),
        (
            "response",
            "second",
            "a simulated piece's response changed",
            "ProofError",
            [splice(ANSWERS, 32, ((response + 1) % ORDER).to_bytes(32, "big"))],
        ),
        (
            "sign",
            "second",
            "the other point with the same x in a simulated piece",
            "ProofError",
            [splice(0, 1, bytes([proof[0] ^ 0x20]))],
        ),
        (
            "identity",
            "second",
            "the identity in a simulated piece",
            "EncodingError",
            [splice(0, 48, b"\xc0" + bytes(47))],
        ),
        (
            "off-curve",
            "second",
            "a point off the curve in a simulated piece",
            "EncodingError",
            [splice(0, 48, off_curve)],
        ),
        (
            "cut-off",
            "second",
            "the last response missing",
            "EncodingError",
            [splice(len(proof) - 32, 32, b"")],
        ),
        (
            "extended",
            "second",
            "32 bytes behind the end",
            "EncodingError",
            [splice(len(proof), 0, bytes(32))],
        ),
        (
            "polarity",
            "second",
            "a member's proof for not a member",
            "EncodingError",
            [],
            {"polarity": "not a member"},
        ),
        (
            "another-set",
            "second",
            "another set of the same size that holds the value too",
            "ProofError",
            [],
            {"members": moved},
        ),
        (
            "another-piece",
            "second",
            "a set that differs in the last piece, where the value is not",
            "ProofError",
            [],
            {"members": extra},
        ),
        (
            "another-piece-outside",
            "outside",
            "a set that differs in the last piece",
            "ProofError",
            [],
            {"members": extra},
        ),
        (
            "another-cut",
            "six-by-four",
            "six members as 3 + 3 instead of 4 + 2, of the same length",
            "ProofError",
            [],
            {"piece_size": 3},
        ),
        (
            "another-cut-outside",
            "six-by-four-outside",
            "six members as 3 + 3 instead of 4 + 2, of the same length",
            "ProofError",
            [],
            {"piece_size": 3},
        ),
        (
            "another-count",
            "second",
            "twelve members as 5 + 5 + 2",
            "EncodingError",
            [],
            {"piece_size": 5},
        ),
        (
            "another-commitment",
            "second",
            "the commitment of another proof",
            "ProofError",
            [],
            {"commitment": base["first"]["commitment"]},
        ),
    ):
        splices, put = rest if len(rest) == 2 else (*rest, {}) if rest else ([], {})
        found.append(vector(f"pieces-{name}", case, attack, expect, *splices, **put))
    return found


def write(base: Tree) -> str:
    """The file's text."""
    tree = {"base": base, "vectors": vectors(base)}
    return json.dumps(tree, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the file."""
    base = make_base() if "--base" in sys.argv[1:] else json.loads(FILE.read_text())["base"]
    FILE.write_text(write(base))


if __name__ == "__main__":
    main()
