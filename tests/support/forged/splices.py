"""Parts of true bundles put together otherwise: arguments, facts, documents, commitments."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from proofs import canonical
from proofs.claims import Claims
from proofs.envelope import Envelope
from proofs.errors import BindingError, EncodingError, GrantError, ProofError, SignatureError
from proofs.range_proof import prove_ranges
from proofs.statement import RangeTerm, Statement
from proofs.witness import scalar_integer
from support import books
from support.bundles import SMALL_FACTS, answering, attestation, parts, request, witness
from support.forged.values import shown
from support.forgeries import forgery, register
from support.forging import around, asking, check, honest, opened

BOTH = ("province = Guangdong", "annual_yield >= 0.08", "fuel in @fuels")
OPENING, RANGE = 80, 576


@cache
def _two() -> tuple[bytes, bytes]:
    """Two honest bundles about one document: the same facts, asked for by two requests."""
    found = parts(BOTH)
    return found.build(), answering(found, request(BOTH, purpose="Another purpose")).build()


def _proof(data: bytes) -> bytes:
    return base64.b64decode(json.loads(data)["proof"])


def _with_proof(data: bytes, proof: bytes) -> bytes:
    tree = json.loads(data)
    tree["proof"] = base64.b64encode(proof).decode()
    return canonical.dump(tree)


Splice = Callable[[bytes, bytes], bytes]
"""From the proofs of two bundles to one for the first."""

for _name, _tries, _splice in (
    ("the whole proof of another bundle", "One document, one list of facts.", lambda _a, b: b),
    (
        "an opening of another bundle",
        "Only the first argument is taken over.",
        lambda a, b: b[:OPENING] + a[OPENING:],
    ),
    (
        "a range argument of another bundle",
        "Only the second argument is taken over.",
        lambda a, b: a[:OPENING] + b[OPENING : OPENING + RANGE] + a[OPENING + RANGE :],
    ),
    (
        "a membership of another bundle",
        "Only the last argument is taken over.",
        lambda a, b: a[: OPENING + RANGE] + b[OPENING + RANGE :],
    ),
    (
        "the heads of another range argument",
        "M, D, R and S are taken over.",
        lambda a, b: a[:OPENING] + b[OPENING : OPENING + 192] + a[OPENING + 192 :],
    ),
    (
        "the rounds of another range argument",
        "Everything behind S is taken over.",
        lambda a, b: a[: OPENING + 192] + b[OPENING + 192 : OPENING + RANGE] + a[OPENING + RANGE :],
    ),
    (
        "the responses of another membership",
        "The five last scalars are taken over.",
        lambda a, b: a[:-160] + b[-160:],
    ),
):

    def _attempt(splice: Splice = _splice) -> None:
        one, two = _two()
        assert len(_proof(one)) == OPENING + RANGE + 400
        check(_with_proof(one, splice(_proof(one), _proof(two))))

    register("splice", _name, _tries, _attempt)


# --- within one bundle --------------------------------------------------------------------------

TWINS = ("fuel in @fuels", "fuel in {GAS, SOLAR, WIND}")


def in_order(order: Sequence[int]) -> None:
    data = parts(TWINS).build()
    proof = _proof(data)
    half = len(proof) // 2
    pieces = (proof[:half], proof[half:])
    check(_with_proof(data, b"".join(pieces[each] for each in order)))


for _name, _tries, _order in (
    ("two arguments of a bundle exchanged", "Two memberships of equal length.", (1, 0)),
    ("one argument of a bundle given twice", "The first in the place of the second.", (0, 0)),
    ("the second argument of a bundle given twice", "And of the first.", (1, 1)),
):
    register("splice", _name, _tries, lambda order=_order: in_order(order))


@forgery("splice", "a fact cut off with its argument")
def cut_off() -> None:
    """Consent to both lists; the longer one's proof, cut to the shorter list."""
    proof = _proof(around(asking("province = Guangdong", "fuel in @fuels"), honest))
    check(around(asking("province = Guangdong"), lambda _c, _s: proof[:OPENING]))


@forgery("splice", "a fact cut off without its argument", error=EncodingError, message="cut off")
def cut_off_without() -> None:
    """The longer proof as it was, beside the shorter list."""
    proof = _proof(around(asking("province = Guangdong", "fuel in @fuels"), honest))
    check(around(asking("province = Guangdong"), lambda _c, _s: proof))


@forgery("splice", "a fact appended with its argument")
def appended() -> None:
    """A true membership of another bundle behind a true opening of this one."""
    fuel = _proof(around(asking("fuel in @fuels"), honest))

    def prover(_claims: Claims, _statement: Statement) -> bytes:
        return _proof(around(asking("province = Guangdong"), honest)) + fuel

    check(around(asking("province = Guangdong", "fuel in @fuels"), prover))


@forgery("splice", "facts in another order, with their arguments")
def reordered() -> None:
    """Two memberships and their facts exchanged together."""
    proof = _proof(around(asking(*TWINS), honest))
    half = len(proof) // 2
    check(around(asking(*TWINS[::-1]), lambda _c, _s: proof[half:] + proof[:half]))


def _another_sentence(before: str, after: str) -> None:
    proof = _proof(around(asking(before), honest))
    check(around(asking(after), lambda _c, _s: proof))


for _name, _before, _after in (
    ("a bound moved after proving", "annual_yield >= 0.08", "annual_yield >= 0.1"),
    ("a relation turned round after proving", "annual_yield >= 0.08", "annual_yield <= 0.08"),
    ("an end of a range moved after proving", "capacity in 20..60 MW", "capacity in 20..59 MW"),
    ("a shown value exchanged after proving", "province = Guangdong", "province = Anhui"),
    ("a member exchanged after proving", "fuel in {GAS, SOLAR}", "fuel in {COAL, GAS}"),
    ("a list exchanged after proving", "fuel in {GAS, SOLAR, WIND}", "fuel in @fuels"),
):
    register(
        "splice",
        _name,
        f"{_before}: {_after}",
        lambda b=_before, a=_after: _another_sentence(b, a),
    )


def _ranges(order: Sequence[int], fact: str) -> None:
    """The terms of a range in another order, or one of them twice, by the real prover."""

    def prover(claims: Claims, statement: Statement) -> bytes:
        value, blinding, _ = opened("capacity")
        terms = [each for each in statement.ranges if isinstance(each, RangeTerm)]
        chosen = [terms[each] for each in order]
        return prove_ranges(
            claims.transcript(),
            [each.value(scalar_integer(value)) for each in chosen],
            [each.blinding(blinding) for each in chosen],
            [shown(statement)[each] for each in order],
            digits=statement.digits,
        )

    check(around(asking(fact), prover))


register(
    "splice",
    "the true half of a range proven twice",
    "48.5 is at least 20; that it is at most 48.499 is not shown.",
    lambda: _ranges((0, 0), "capacity in 20..48.499 MW"),
)
register(
    "splice",
    "the halves of a range exchanged",
    "Both are true, and each stands in the other's place.",
    lambda: _ranges((1, 0), "capacity in 20..60 MW"),
)


# --- commitments --------------------------------------------------------------------------------


def _places(order: Sequence[int]) -> list[bytes | None]:
    commitments = witness().commitments()
    return [commitments[each] for each in order]


def _signed(order: Sequence[int]) -> None:
    """The custodian itself attests commitments in another order; the prover opens the true one."""
    found = parts(SMALL_FACTS, attestation=attestation(commitments=_places(order)))
    check(found.forge())


for _name, _tries, _order, _error in (
    (
        "permuted commitments",
        "Capacity and yield exchange their places.",
        (1, 0, 2, 3, 4, 5, 6),
        ProofError,
    ),
    (
        "a duplicated commitment",
        "The capacity's commitment in the place of the yield's.",
        (0, 0, 2, 3, 4, 5, 6),
        ProofError,
    ),
    (
        "a dropped commitment",
        "All that follow move up.",
        (1, 2, 3, 4, 5, 6),
        BindingError,
    ),
    ("a commitment more", "One more behind the last.", (0, 1, 2, 3, 4, 5, 6, 0), BindingError),
):
    register(
        "splice",
        f"{_name}, signed",
        _tries,
        lambda order=_order: _signed(order),
        error=_error,
        message="does not verify" if _error is ProofError else "attributes",
    )
    if _order != (0, 1, 2, 3, 4, 5, 6, 0):

        def _unsigned(order: Sequence[int] = _order) -> None:
            found = parts(SMALL_FACTS)
            signed = Envelope.parse(found.attestation_envelope)
            other = replace(
                signed, unverified_payload=attestation(commitments=_places(order))
            ).encode()
            tree = json.loads(found.build())
            tree["documents"][0]["envelope"] = json.loads(other)
            check(canonical.dump(tree))

        register(
            "splice",
            f"{_name}, under the old signature",
            _tries,
            _unsigned,
            error=SignatureError,
        )


# --- several documents --------------------------------------------------------------------------

SUM = ("a.debt + b.debt <= a.valuation",)


def _books(data: bytes) -> None:
    books.check(data)


def _unlike(text: str) -> None:
    _books(books.books((text,)).forge(proven=SUM))


for _name, _text in (
    ("a coefficient moved after proving", "a.debt + b.debt * 2 <= a.valuation"),
    ("a sign moved after proving", "a.debt - b.debt <= a.valuation"),
    ("a constant moved after proving", "a.debt + b.debt <= a.valuation - 1000000 CNY"),
):
    register(
        "splice",
        _name,
        f"{SUM[0]}: {_text}",
        lambda text=_text: _unlike(text),
        error=ProofError,
    )


def _exchanged() -> None:
    tree = json.loads(books.good()[1])
    one, two = tree["documents"][:2]
    one["envelope"], two["envelope"] = two["envelope"], one["envelope"]
    _books(canonical.dump(tree))


register(
    "splice",
    "two documents exchanged under their aliases",
    "a's attestation as b's, and b's as a's.",
    _exchanged,
    error=GrantError,
    message="another attestation",
)


def _opened_by_the_other() -> None:
    """The larger debt for both: b's commitments opened with a's values."""
    twice = dict(books.witnesses()) | {"b": books.witnesses()["a"]}
    _books(books.books(("a.debt + b.debt >= 9000000 CNY",)).forge(opened=twice))


register(
    "splice",
    "one document's values for another's",
    (_opened_by_the_other.__doc__ or "").splitlines()[0],
    _opened_by_the_other,
)
