"""Tables of generators: the same products, proofs and verdicts as without, at every edge."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.torsion import torsion_point

from proofs import equation, generators, group, membership, pedersen, range_proof
from proofs.equation import Equation
from proofs.errors import ProofError
from proofs.generators import G, H, K
from proofs.group import ONE, ORDER, Point, Scalar
from proofs.sets import ScalarSet
from proofs.transcript import Transcript

# Every value costs some point operations; zero bytes at either end and inside are frequent.
scalars = st.one_of(
    st.integers(0, ORDER - 1),
    st.sampled_from([0, 1, 15, 255, 256, 2**64 - 1, 2**128, ORDER - 1, ORDER - 255, 1 << 248]),
    st.binary(min_size=1, max_size=31).map(lambda data: int.from_bytes(data, "little") << 8),
).map(lambda value: group.scalar(value % ORDER))
QUICK = settings(max_examples=25, deadline=None)

_TABLED = (*generators.range_generators(16), *generators.membership_generators(3))
_OTHERS = generators.norm_bases(40)[16:]


@pytest.fixture(scope="module")
def built() -> list[list[list[Point]] | None]:
    """The tables, built once."""
    generators.use_tables(_TABLED)
    kept = [each.table for each in _TABLED]
    generators.forget_tables(_TABLED)
    return kept


@pytest.fixture
def tables(built: list[list[list[Point]] | None]) -> Iterator[None]:
    """Tables for one test only."""
    for generator, table in zip(_TABLED, built, strict=True):
        generator.table = table
    yield
    generators.forget_tables(_TABLED)


def _naive(bases: list[Point], factors: list[Scalar]) -> Point:
    return sum([base * factor for base, factor in zip(bases, factors, strict=True)], group.IDENTITY)


@pytest.mark.usefixtures("tables")
@QUICK
@given(
    st.lists(st.tuples(st.sampled_from([*_TABLED, *_OTHERS[:2]]), scalars), max_size=6),
    st.lists(scalars, max_size=3),
)
@example([(G, group.ZERO)], [])
@example([], [])
@example([(G, ONE), (G, -ONE)], [group.ZERO])
def test_any_mixture_is_the_plain_sum(
    terms: list[tuple[generators.Generator, Scalar]], others: list[Scalar]
) -> None:
    """With a table or without, repeated, beside points, or nothing at all."""
    bases, factors = [base for base, _ in terms], [factor for _, factor in terms]
    points = [K.point + K.point for _ in others]
    expected = _naive([*[base.point for base in bases], *points], [*factors, *others])
    assert generators.multiply_mixed(bases, factors, points, others) == expected


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("others", [0, 1, 24])
def test_both_sides_of_the_threshold(others: int) -> None:
    """Where one common multiplication is cheaper it is taken, and the sum is the same."""
    bases = [*_TABLED, *_OTHERS[:others]]
    factors = [group.random_scalar() for _ in bases]
    assert generators.multiply_fixed(bases, factors) == _naive(
        [base.point for base in bases], factors
    )


@pytest.mark.usefixtures("tables")
def test_nothing_is_cut_short() -> None:
    """More scalars than generators, or fewer, or more scalars than points, is an error."""
    for bases, factors, points, others in (
        ((G, H), (ONE,), (), ()),
        ((G,), (ONE, ONE), (), ()),
        ((G,), (ONE,), (K.point,), ()),
        ((G,), (ONE,), (), (ONE,)),
    ):
        with pytest.raises(ValueError, match="as many"):
            generators.multiply_mixed(bases, factors, points, others)


@pytest.mark.usefixtures("tables")
def test_torsion_is_treated_the_same() -> None:
    """Points off the subgroup are cleared with tables as without, and hide no error."""
    for order in (3, 11):
        points = [-G.point, torsion_point(order)]
        equation.check([Equation((G,), [ONE], points, [ONE, ONE])])
        with pytest.raises(ProofError):
            equation.check([Equation((G,), [ONE + ONE], points, [ONE, ONE])])


def _range_proof() -> bytes:
    values, blindings = [7, 2**64 - 1], [group.scalar(3), group.scalar(ORDER - 4)]
    pairs = zip(map(group.scalar, values), blindings, strict=True)
    encodings = [group.encode_point(point) for point in pedersen.commit_many(pairs)]
    proof = range_proof.prove_ranges(Transcript(b"test"), values, blindings, encodings, digits=16)
    points = group.decode_statement_points(encodings)
    equation.check(
        [range_proof.verify_ranges(Transcript(b"test"), points, encodings, proof, digits=16)]
    )
    return proof


def _membership_proof(*, member: bool) -> bytes:
    members = ScalarSet.from_scalars([group.scalar(i) for i in range(8)], b"test")
    value, blinding = group.scalar(5 if member else 55), group.scalar(9)
    point = pedersen.commit(value, blinding)
    encoding = group.encode_point(point)
    proof = membership.prove_membership(
        Transcript(b"test"), value, blinding, encoding, members, member=member
    )
    equation.check(
        membership.verify_membership(
            Transcript(b"test"), point, encoding, members, proof, member=member
        )
    )
    return proof


def test_proofs_have_the_same_bytes(
    built: list[list[list[Point]] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the same randomness, every argument is the same to the byte, and verifies both ways."""
    monkeypatch.setattr(secrets, "token_bytes", lambda count: b"\x07" * count)

    def proofs() -> list[bytes]:
        return [_range_proof(), _membership_proof(member=True), _membership_proof(member=False)]

    without = proofs()
    for generator, table in zip(_TABLED, built, strict=True):
        generator.table = table
    assert proofs() == without
    generators.forget_tables(_TABLED)
    assert proofs() == without


def test_a_table_is_kept_and_given_back() -> None:
    """A second call builds nothing anew; forgetting gives the memory back."""
    generators.use_tables([K])
    kept = K.table
    generators.use_tables([K])
    assert K.table is kept is not None
    assert (len(kept), {len(row) for row in kept}) == (8, {256})
    generators.forget_tables([K])
    assert K.table is None
