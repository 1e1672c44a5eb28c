"""The group operations that an argument cannot do without, as work that can be run and timed.

Counted from the specification, not from the code: one multi-scalar multiplication over its bases
for every message that a prover sends, where digits multiply by additions alone; for a verifier the
decoding of every point, statement points with the check of the subgroup, and one multiplication
over all bases and points; for a batch the same decoding, and one multiplication over the bases and
everybody's points. Signatures count where a bundle has them. The cofactor costs an honest proof
nothing: its sum is the identity already.

Nothing else counts: no scalar arithmetic, hashing, parsing, or polynomial of a set. Running the
work uses the same library, and the same tables where there are some, so a ratio of 1 would mean
that nothing but these operations takes time. Scalars are random and full-size, but for digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import generators, group
from proofs.folded_bases import FOLD_AFTER_ROUNDS, FOLD_FROM
from proofs.generators import G, Generator, H, K
from proofs.group import IDENTITY, Point, Scalar
from proofs.range_terms import HEAD_POINTS, Layout
from proofs.set_polynomial import power_count

_SMALL = 16
_M_BLINDINGS = 6


@dataclass(frozen=True, slots=True)
class Product:
    """One multi-scalar multiplication: over generators, and over `points` others.

    With tables the last `digits` of the generators are times a digit.
    """

    fixed: tuple[Generator, ...]
    points: int = 0
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """Multiplications, additions, points decoded (`checked`: with the subgroup), points encoded,
    signatures verified."""

    products: tuple[Product, ...] = ()
    added: int = 0
    decoded: int = 0
    checked: int = 0
    encoded: int = 0
    signatures: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.products + other.products,
            self.added + other.added,
            self.decoded + other.decoded,
            self.checked + other.checked,
            self.encoded + other.encoded,
            self.signatures + other.signatures,
        )

    def merged(self, times: int = 1) -> Work:
        """So many of it verified together: one multiplication over each generator once."""
        fixed = dict.fromkeys(each for product in self.products for each in product.fixed)
        points = sum(product.points for product in self.products)
        return Work(
            (Product(tuple(fixed), points * times),),
            self.added * times,
            self.decoded * times,
            self.checked * times,
            self.encoded * times,
            self.signatures * times,
        )

    def action(self) -> Callable[[], None]:
        """The work, ready to be run: whatever it needs is drawn before."""
        prepared = [_prepare(product) for product in self.products]
        pool = _encodings()
        decoded = [pool[i % len(pool)] for i in range(self.decoded)]
        checked = [pool[i % len(pool)] for i in range(self.checked)]
        encoded, added = _points(self.encoded), _points(self.added)
        public, signature, message = _signature()

        def run() -> None:
            for data in decoded:
                group.decode_proof_point(data)
            group.decode_statement_points(checked)
            for _ in range(self.signatures):
                public.verify(signature, message)
            for fixed, fixed_scalars, points, scalars in prepared:
                generators.multiply_mixed(fixed, fixed_scalars, points, scalars)
            sum(added, IDENTITY)
            for point in encoded:
                group.encode_point(point)

        return run


def range_prover(layout: Layout, *, distinct: int = _SMALL) -> Work:
    """M, D, R and S, then X and R of every round, over the original bases while they are few.

    `distinct` is how many different digits there are: so many different reciprocals. Whether
    tables are kept is looked at now.
    """
    linear, norm = generators.linear_bases(), generators.norm_bases(layout.norm_length)
    real = norm[: layout.real]
    m_blinded, d_blinded = (G, *linear[:_M_BLINDINGS]), (G, linear[0])
    if generators.are_looked_up(generators.range_generators(layout.norm_length)):
        added = 0
        products = [
            Product((*m_blinded, *norm[:_SMALL]), digits=_SMALL),
            Product((*d_blinded, *real), digits=len(real)),
            Product((G, *real)),
        ]
    else:
        # Bases added up by count and by digit, then twice as many additions as there are digits.
        added = len(real) + _SMALL + 4 * _SMALL
        products = [Product(m_blinded), Product(d_blinded), Product((G,), distinct)]
    products.append(Product((G, *linear, *norm)))
    encoded = len(products) + 2 * layout.inner.rounds
    left, count, folded, since = len(linear), len(norm), False, 0
    for _ in range(layout.inner.rounds):
        folding = linear if left > 1 else ()  # a vector of length 1 no longer splits
        for bases, norms in ((folding, count), (folding[: len(folding) // 2], count // 2)):
            if folded:
                products.append(Product((G, *bases), norms))
            else:
                products.append(Product((G, *bases, *norm[:norms])))
        left, since = left // 2, since + 1
        if count >= FOLD_FROM and since == FOLD_AFTER_ROUNDS:
            block = 1 << since
            products += [Product((), block)] * (count // block)
            count, folded, since = count // block, True, 0
    return Work(tuple(products), added, encoded=encoded)


def range_verifier(layout: Layout, *, commitments: int | None = None) -> Work:
    """The points of one proof decoded, and the multiplication; the commitments are at hand.

    `commitments` is how many attested points the derived ones are made of, if not one each.
    """
    points = HEAD_POINTS + 2 * layout.inner.rounds
    attested = layout.count if commitments is None else commitments
    fixed = generators.range_generators(layout.norm_length)
    return Work((Product(fixed, points + attested),), decoded=points)


def membership_prover(size: int, *, member: bool) -> Work:
    """C, F, F_0, all D_k, and W where the value is not a member."""
    m = power_count(size)
    vector = (*generators.power_bases(m)[1:], *generators.product_bases(m - 1), H)
    pairs = [(G, H), *[(K, H)] * (m + (not member))]
    products = (Product(vector), Product(vector), *map(Product, pairs))
    return Work(products, encoded=len(products))


def membership_verifier(size: int, *, member: bool) -> Work:
    """The points of one proof decoded, and the multiplication; the commitment is at hand."""
    m = power_count(size)
    points = m + 3 + (not member)
    return Work((Product(generators.membership_generators(m), points + 1),), decoded=points)


def opening_prover() -> Work:
    """One multiple of H."""
    return Work((Product((H,)),), encoded=1)


def opening_verifier() -> Work:
    """One point decoded, and the multiplication; the commitment is at hand."""
    return Work((Product((G, H), 2),), decoded=1)


def total(parts: Iterable[Work]) -> Work:
    """All of it."""
    return sum(parts, Work())


@cache
def _pool() -> list[Point]:
    start = group.hash_to_point(b"crossproof/benchmark/v1", b"start")
    return [start, start + group.hash_to_point(b"crossproof/benchmark/v1", b"step")]


def _points(count: int) -> list[Point]:
    """So many different points, whose relations no multiplication makes use of."""
    pool = _pool()
    step = pool[1] - pool[0]
    while len(pool) < count:
        pool.append(pool[-1] + step)
    return pool[:count]


@cache
def _encodings() -> list[bytes]:
    return [group.encode_point(point) for point in _points(64)]


@cache
def _signature() -> tuple:
    key, message = Ed25519PrivateKey.generate(), bytes(1000)
    return key.public_key(), key.sign(message), message


def _prepare(
    product: Product,
) -> tuple[tuple[Generator, ...], list[Scalar], list[Point], list[Scalar]]:
    full = len(product.fixed) - product.digits
    factors = [group.random_scalar() for _ in range(full)]
    factors += [group.scalar(i % _SMALL) for i in range(product.digits)]
    for generator in product.fixed:
        assert generator.point != IDENTITY  # derived now, not while the clock runs
    points = _points(product.points)
    return product.fixed, factors, points, [group.random_scalar() for _ in points]
