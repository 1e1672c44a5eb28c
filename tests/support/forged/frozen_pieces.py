"""Sets in pieces and parts of a proof over a selection, against verifiers with a fault."""

from __future__ import annotations

from collections.abc import Sequence

from proofs import equation, group, membership_pieces, parts
from proofs.arguments import verify_terms
from proofs.claims import Claims
from proofs.generators import generators_digest, membership_generators
from proofs.group import scalar
from proofs.labels import frame
from proofs.membership_pieces import simulate, verify_pieces
from proofs.parts import PartTask, prove_part
from proofs.randomness import ProverRandomness
from proofs.set_polynomial import power_count
from proofs.statement import Statement
from proofs.transcript import Transcript
from support import naive_membership as naive
from support.forgeries import register
from support.forgetful import START, Start, forgetting, knowing, starting, verifying_with
from support.forging import around, asking, honest, opened

# --- a set in pieces ----------------------------------------------------------------------------

PIECE = 4
MEMBERS = naive.make_set(*range(10, 18))
OUTSIDE = 9


def first_messages_last(start: Start) -> tuple[naive.Statement, bytes]:
    """No piece holds the value: all are simulated, at shares of a challenge that is known."""
    statement = naive.Statement(MEMBERS, scalar(OUTSIDE))
    transcript = start()
    pieces = MEMBERS.pieces(PIECE)
    transcript.pieces_statement(
        statement.encoding,
        member=True,
        size=MEMBERS.size,
        set_digest=MEMBERS.digest,
        pieces=[
            frame(
                power_count(each.size).to_bytes(8, "big"), each.size.to_bytes(8, "big"), each.digest
            )
            for each in pieces
        ],
        generators=generators_digest(membership_generators(power_count(pieces[0].size))),
    )
    x = transcript.pieces_commitments([])
    random = ProverRandomness(Transcript(START), b"")
    (share,) = random.scalars(1)
    answers = [
        simulate(random, statement.commitment, piece.polynomial, at)
        for piece, at in zip(pieces, (share, x - share), strict=True)
    ]
    heads = b"".join(first.encode() for first, _ in answers)
    tails = b"".join(each for _, responses in answers for each in responses)
    return statement, heads + group.encode_scalar(share) + tails


def _verify(forged: tuple[naive.Statement, bytes], transcript: Transcript) -> None:
    statement, proof = forged
    assert statement.value not in statement.members
    equation.check(
        verify_pieces(
            transcript,
            statement.commitment,
            statement.encoding,
            MEMBERS,
            proof,
            member=True,
            piece_size=PIECE,
        )
    )


LEFT_OUT = {("pieces_commitments", "pieces"): first_messages_last}
"""The forgery that leaving an item out allows."""

for _name, _fault in (
    (
        "first messages of all pieces absorbed after the challenge",
        starting(forgetting("pieces_commitments", "pieces")),
    ),
    ("a set in pieces whose x is known", knowing(x=1234567)),
):
    register(
        "frozen heart: pieces",
        _name,
        (first_messages_last.__doc__ or "").splitlines()[0],
        lambda fault=_fault: _verify(first_messages_last(fault), Transcript(START)),
        fooled=lambda fault=_fault: _verify(first_messages_last(fault), fault()),
    )
assert membership_pieces.PIECE_SIZE > PIECE


# --- parts of a proof over a selection ----------------------------------------------------------

PART_METHOD = "part_statement"
Place = tuple[bytes, int, int]
FIRST: Place = (b"\1" * 64, 0, 2)
PLACES: dict[str, Place] = {
    "seed": (b"\2" * 64, 0, 2),
    "index": (b"\1" * 64, 1, 2),
    "count": (b"\1" * 64, 0, 3),
}
"""By parameter: the place of another part."""


def _task(place: Place) -> PartTask:
    caught: list[tuple[Claims, Statement]] = []

    def catch(claims: Claims, statement: Statement) -> bytes:
        caught.append((claims, statement))
        return honest(claims, statement)

    around(asking("annual_yield >= 0.08"), catch)
    (claims, statement) = caught[0]
    value, blinding, _ = opened("annual_yield")
    pair = group.encode_scalar(value) + group.encode_scalar(blinding)
    (slot,) = claims.by_slot()
    return PartTask(*place, statement, claims.commitments, ((slot, pair),), ())


def _elsewhere(place: Place, forgotten: Sequence[str]) -> None:
    with verifying_with(forgetting(PART_METHOD, *forgotten) if forgotten else Transcript):
        task = _task(FIRST)
        proof = prove_part(task)
        commitments = dict(task.commitments)
        points = dict(
            zip(commitments, group.decode_statement_points(commitments.values()), strict=True)
        )
        transcript = parts._transcript(*place)
        equation.check(verify_terms(transcript, task.statement, commitments, points, proof, {}))


for _parameter, _place in PLACES.items():
    register(
        "frozen heart: parts",
        f"a part of a selection's proof at another {_parameter}",
        "An honest part, taken for the part of another bundle or place about the same thing.",
        lambda place=_place: _elsewhere(place, ()),
        fooled=lambda place=_place, name=_parameter: _elsewhere(place, (name,)),
    )
