"""Lists that are not the one named: padded, doubled, planted, of one's own, of another type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proofs import envelope, group
from proofs.claims import Claims
from proofs.envelope import Envelope, PayloadType
from proofs.errors import EncodingError, SetError
from proofs.group import Scalar
from proofs.membership import prove_membership
from proofs.named_set import NamedSet
from proofs.schema import AttributeType
from proofs.sets import ScalarSet
from proofs.statement import Statement
from proofs.text import text_scalar
from support import naive_membership as naive
from support.bundles import AUTHORITY, answering, named_set, parts, private_key, request
from support.forgeries import forgery, register
from support.forging import around, asking, check, opened

IN, NOT_IN = "fuel in @fuels", "fuel not in @fuels"
PAD = text_scalar("identifier", "PAD")


def genuine() -> ScalarSet:
    """What the verifier holds: solar, wind and hydro."""
    return named_set("fuels").scalars


def members() -> list[Scalar]:
    """Its members."""
    found = named_set("fuels")
    return found.header.type.scalars(found.members)


def under_the_digest(mine: list[Scalar]) -> ScalarSet:
    """Other members under the digest of the genuine set: what a liar computes with."""
    other = ScalarSet.from_scalars(mine, genuine().type_tag)
    other.digest = genuine().digest
    return other


def _proving(fact: str, mine: ScalarSet, value: Scalar, blinding: Scalar, encoded: bytes) -> bytes:
    """The real prover about a list of the liar's."""

    def prover(claims: Claims, _statement: Statement) -> bytes:
        return prove_membership(
            claims.transcript(), value, blinding, encoded, mine, member=fact == IN
        )

    return around(asking(fact), prover)


def prove_about(attribute: str, fact: str, mine: ScalarSet) -> None:
    value, blinding, encoded = opened(attribute)
    check(_proving(fact, mine, value, blinding, encoded))


Make = Callable[[], ScalarSet]

OTHERS = [text_scalar("identifier", word) for word in ("COAL", "GAS", "NUCLEAR")]

for _name, _tries, _fact, _mine in (
    (
        "a list of one's own under the true digest",
        "Three others, of which solar is none.",
        NOT_IN,
        lambda: under_the_digest(OTHERS),
    ),
    (
        "a list without the value",
        "The true list with solar exchanged.",
        NOT_IN,
        lambda: under_the_digest([PAD, *[m for m in members() if m != opened("fuel")[0]]]),
    ),
    (
        "a list padded to a power of two",
        "The true members and a pad, under the true digest, for a value that is in it.",
        IN,
        lambda: under_the_digest([*members(), PAD]),
    ),
    (
        "a list padded with zero",
        "Zero as a fourth root.",
        IN,
        lambda: under_the_digest([*members(), group.ZERO]),
    ),
    (
        "a list less one member",
        "Two members of three.",
        IN,
        lambda: under_the_digest([opened("fuel")[0], PAD]),
    ),
    (
        "the whole list and more, for one that is in it",
        "A list of four under the digest of one of three.",
        IN,
        lambda: under_the_digest([*members(), OTHERS[0]]),
    ),
):
    register(
        "set",
        _name,
        _tries,
        lambda fact=_fact, mine=_mine: prove_about("fuel", fact, mine()),
    )


@forgery("set", "the value of the padding")
def pad_as_a_member() -> None:
    """A commitment to the pad itself, which a padded list would hold."""
    statement = naive.Statement(genuine(), PAD)
    mine = under_the_digest([*members(), PAD])
    check(_proving(IN, mine, PAD, statement.blinding, statement.encoding))


@forgery("set", "a member twice", error=SetError, message="twice")
def duplicate() -> None:
    """A double root: a list that is shorter than it says."""
    ScalarSet.from_scalars([*members(), members()[0]], genuine().type_tag)


@forgery("set", "a line twice in the file of a set", error=SetError, message="4 members")
def duplicate_line() -> None:
    """The file that the verifier is given with --set."""
    text = named_set("fuels").export()
    last = text.rstrip(b"\n").rsplit(b"\n", 1)[1]
    NamedSet.parse(text + last + b"\n")


@forgery("set", "no member at all", error=SetError, message="empty")
def empty() -> None:
    """Nothing is in it, and everything is not."""
    ScalarSet.from_scalars([], genuine().type_tag)


@forgery("set", "a member proven to be none")
def member_as_none() -> None:
    """The inverse of zero: whatever W holds."""

    def prover(claims: Claims, _statement: Statement) -> bytes:
        value, blinding, _ = opened("fuel")
        inner = naive.Statement(genuine(), value, blinding)
        return naive.prove(claims.transcript(), inner, member=False, w_inverse=1)

    check(around(asking(NOT_IN), prover))


@forgery("set", "a stranger proven to be a member")
def stranger_as_member() -> None:
    """The honest steps of the argument on a value that is no root."""

    def prover(claims: Claims, _statement: Statement) -> bytes:
        value, blinding, _ = opened("owner")
        inner = naive.Statement(named_set().scalars, value, blinding)
        return naive.prove(claims.transcript(), inner, member=True)

    check(around(asking("owner in @sanctions"), prover))


@forgery("set", "powers that are no squares, in a bundle")
def powers_in_a_bundle() -> None:
    """A third power solved for, at which the list's polynomial vanishes."""

    def prover(claims: Claims, _statement: Statement) -> bytes:
        value, blinding, _ = opened("owner")
        found = named_set().scalars
        us = naive.squares(int(value), found.polynomial.powers)

        def total(last: int) -> int:
            return int(found.polynomial.evaluate([group.scalar(u) for u in (*us[:-1], last)]))

        slope = (total(1) - total(0)) % group.ORDER
        us[-1] = -total(0) * pow(slope, -1, group.ORDER) % group.ORDER
        inner = naive.Statement(found, value, blinding)
        return naive.prove(claims.transcript(), inner, member=True, us=us)

    check(around(asking("owner in @sanctions"), prover))


@forgery("set", "the polarity turned round", error=EncodingError, message="bytes")
def polarity() -> None:
    """The proof that solar is in the list, as one that it is not."""
    value, blinding, encoded = opened("fuel")

    def prover(claims: Claims, _statement: Statement) -> bytes:
        return prove_membership(
            claims.transcript(), value, blinding, encoded, genuine(), member=True
        )

    check(around(asking(NOT_IN), prover))


@forgery("set", "the polarity turned round, with a point in the place of W")
def polarity_with_w() -> None:
    """The same, with K as the inverse that it lacks."""
    value, blinding, encoded = opened("fuel")

    def prover(claims: Claims, _statement: Statement) -> bytes:
        proof = prove_membership(
            claims.transcript(), value, blinding, encoded, genuine(), member=True
        )
        return proof[:144] + proof[96:144] + proof[144:]

    check(around(asking(NOT_IN), prover))


def _with_set(found: NamedSet) -> None:
    facts = ("owner not in @sanctions",)
    asked = request(facts, sets=[found.reference])
    check(answering(parts(facts), asked, sets=(found,)).forge(), held=(found,))


@forgery("set", "a list of identifiers for a name", error=SetError, message="type")
def another_type() -> None:
    """No identifier equals a name, so that `not in` is true of every one."""
    _with_set(named_set("sanctions", kind=AttributeType.IDENTIFIER))


@forgery("set", "a list signed by a stranger", error=SetError, message="another authority")
def another_authority() -> None:
    """The right name, and another key."""
    _with_set(named_set("sanctions", signer=3))


@forgery("set", "an older list", error=SetError, message="asks for")
def older() -> None:
    """Without the newest name; the trust file asks for a later version."""
    found = named_set()
    header = replace(found.header, version=1)
    signed = envelope.sign(PayloadType.SET, header.encode(), private_key(AUTHORITY))
    _with_set(NamedSet.assemble(Envelope.parse(signed), found.members))


@forgery("set", "members under another list's header", error=SetError, message="71 members")
def another_header() -> None:
    """The signed header of one list before the members of another."""
    NamedSet.assemble(named_set().envelope, named_set(extra=("One More",)).members)
