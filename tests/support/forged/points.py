"""Points and scalars in every wrong form, in every place of a statement and of a proof.

A name stands for all places: each of them has to be refused, and by the same error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache

from proofs import canonical, equation, group
from proofs.claims import Claims
from proofs.errors import CrossproofError, EncodingError, ProofError
from proofs.group import ORDER, Point, encode_point, encode_scalar
from proofs.membership import verify_membership
from proofs.statement import Statement
from proofs.transcript import Transcript
from support import naive_membership, naive_range
from support.bundles import FACTS, attestation, good, parts, witness
from support.forged.frozen_membership import MEMBERS
from support.forged.values import shown
from support.forgeries import register
from support.forgetful import START
from support.forging import around, asking, check, opened
from support.torsion import torsion_point

Change = Callable[[bytes], bytes]

FIELD = bytes.fromhex(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf"
    "6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
)


def mixed() -> Point:
    """A point of order 33."""
    return torsion_point(3) + torsion_point(11)


TORSION: dict[str, Callable[[], Point]] = {
    "order 3": lambda: torsion_point(3),
    "order 11": lambda: torsion_point(11),
    "order 33": mixed,
}

FORMS: dict[str, Change] = {
    "the identity": lambda _e: b"\xc0" + bytes(47),
    "the identity with junk behind it": lambda e: b"\xc0" + e[1:],
    "the identity with a sign": lambda _e: b"\xe0" + bytes(47),
    "the identity with a sign and junk": lambda e: b"\xe0" + e[1:],
    "a point without the flag of compression": lambda e: bytes([e[0] & 0x7F]) + e[1:],
    "an x past the field": lambda e: bytes([e[0] | 0x1F]) + b"\xff" * 47,
    "x = p": lambda _e: bytes([FIELD[0] | 0x80]) + FIELD[1:],
    "a point off the curve": lambda e: _off_the_curve(e),
    "nothing but zeros": lambda _e: bytes(48),
}


def _off_the_curve(encoded: bytes) -> bytes:
    at = int.from_bytes(encoded, "big")
    while True:
        at += 1
        moved = at.to_bytes(48, "big")
        try:
            group.decode_proof_point(moved)
        except EncodingError:
            return moved


# --- proofs -------------------------------------------------------------------------------------


@cache
def _places() -> tuple[tuple[int, int], ...]:
    """Start and length of every point and scalar in the proof of `good()`.

    Its arguments: an opening, the ranges, `fuel in @fuels`, `owner not in @sanctions`.
    """
    length = len(_proof())
    assert FACTS[3:] == ("province = Guangdong", "fuel in @fuels", "owner not in @sanctions")
    found: list[tuple[int, int]] = []
    at = 0
    rounds = (length - 80 - 80 * 5 - (80 * 10 + 48) - 192 - 32 * 5) // 96
    for points, scalars in ((1, 1), (4 + 2 * rounds, 5), (5, 5), (11, 10)):
        found += [(at + 48 * k, 48) for k in range(points)]
        at += 48 * points
        found += [(at + 32 * k, 32) for k in range(scalars)]
        at += 32 * scalars
    assert at == length
    return tuple(found)


def _proof() -> bytes:
    return base64.b64decode(json.loads(good()[1])["proof"])


def one_by_one(change: Change, size: int, error: type[CrossproofError]) -> None:
    """The change in each place alone; raises what the last of them raised."""
    tree, proof = json.loads(good()[1]), _proof()
    places = [at for at, length in _places() if length == size]
    assert len(places) > 20
    for place in places:
        changed = proof[:place] + change(proof[place : place + size]) + proof[place + size :]
        tree["proof"] = base64.b64encode(changed).decode()
        try:
            check(canonical.dump(tree))
        except error:
            if place == places[-1]:
                raise
        else:
            return  # accepted: nothing is raised


def _add(name: str, tries: str, change: Change, size: int, error: type[CrossproofError]) -> None:
    message = "does not verify" if error is ProofError else "point|scalar"
    register(
        "point",
        name,
        tries,
        lambda: one_by_one(change, size, error),
        error=error,
        message=message,
    )


for _name, _point in TORSION.items():
    _add(
        f"torsion of {_name} added to any point of a proof",
        "Clearing the cofactor forgives it; the bytes were absorbed.",
        lambda e, p=_point: encode_point(group.decode_proof_point(e) + p()),
        48,
        ProofError,
    )
    _add(
        f"a point of {_name} in the place of any point of a proof",
        "After clearing it is nothing.",
        lambda _e, p=_point: encode_point(p()),
        48,
        ProofError,
    )
for _name, _change in FORMS.items():
    _add(
        f"{_name}, in the place of any point of a proof",
        "An encoding that no point has.",
        _change,
        48,
        EncodingError,
    )
_add(
    "the other sign of any point of a proof",
    "-P for P, one bit.",
    lambda e: bytes([e[0] ^ 0x20]) + e[1:],
    48,
    ProofError,
)
_add(
    "a scalar plus the order, in any place",
    "A second spelling, where 32 bytes hold it.",
    lambda e: min(int.from_bytes(e, "big") + ORDER, (1 << 256) - 1).to_bytes(32, "big"),
    32,
    EncodingError,
)
_add(
    "the order itself for any scalar",
    "Zero.",
    lambda _e: ORDER.to_bytes(32, "big"),
    32,
    EncodingError,
)
_add("zero for any scalar", "Nothing to add.", lambda _e: bytes(32), 32, ProofError)
_add(
    "the other sign of any scalar",
    "q - s for s.",
    lambda e: encode_scalar(-group.decode_scalar(e)),
    32,
    ProofError,
)


# --- statements ---------------------------------------------------------------------------------


def _attested(change: Change) -> None:
    """A commitment that the custodian itself signed in this form, each attribute in turn."""
    for place in (0, 1, 2, 3, 4):
        commitments = list(witness().commitments())
        commitments[place] = change(commitments[place] or b"")
        name = ("capacity >= 20 MW", "annual_yield >= 0.08", "commissioned >= 2019-01-01")
        facts = (*name, "province = Guangdong", "fuel in @fuels")[place]
        found = parts((facts,), attestation=attestation(commitments=commitments))
        try:
            check(found.forge())
        except EncodingError:
            if place == 4:
                raise


for _name, _point in TORSION.items():
    register(
        "point",
        f"a commitment with torsion of {_name}",
        "A statement about a point that no attested value has, under every kind of fact.",
        lambda p=_point: _attested(lambda e: encode_point(group.decode_proof_point(e) + p())),
        error=EncodingError,
        message="not a point of the group",
    )
    register(
        "point",
        f"a commitment of {_name}",
        "A statement about nothing.",
        lambda p=_point: _attested(lambda _e: encode_point(p())),
        error=EncodingError,
        message="not a point of the group",
    )
for _name, _change in FORMS.items():
    register(
        "point",
        f"{_name}, as a commitment",
        "An encoding that no point has, signed by the custodian.",
        lambda c=_change: _attested(c),
        error=EncodingError,
        message="point",
    )


# --- torsion from the prover --------------------------------------------------------------------


def _false_range(name: str, torsion: Point) -> None:
    def tamper(where: str, point: Point) -> Point:
        return point + torsion if where == name else point

    def prover(claims: Claims, statement: Statement) -> bytes:
        _, blinding, _ = opened("annual_yield")
        digits = [[-1, *[0] * (statement.digits - 1)]]
        return naive_range.prove(
            claims.transcript(), digits, [int(blinding)], shown(statement), tamper=tamper
        )

    check(around(asking("annual_yield >= 0.0913"), prover))


for _order in (3, 11):
    for _where in ("M", "D", "R", "S", "X", "R'"):
        register(
            "point",
            f"a false range with torsion of order {_order} in {_where}",
            "The prover's own torsion helps no false statement.",
            lambda w=_where, o=_order: _false_range(w, torsion_point(o)),
        )


def _no_inverse(torsion: Point) -> None:
    """W = torsion alone, for a member: after clearing K is to be zero."""
    statement = naive_membership.Statement(MEMBERS, group.scalar(7))
    proof = naive_membership.prove(
        Transcript(START), statement, member=False, w_inverse=0, rho_w=0, errors={"W": torsion}
    )
    equation.check(
        verify_membership(
            Transcript(START),
            statement.commitment,
            statement.encoding,
            MEMBERS,
            proof,
            member=False,
        )
    )


for _name, _point in TORSION.items():
    register(
        "point",
        f"an inverse of {_name} for a member",
        "W that vanishes when the cofactor is cleared.",
        lambda p=_point: _no_inverse(p()),
    )
