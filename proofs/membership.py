"""Member, or not a member, of a public set: the polynomial argument of Bayer and Groth.

For a commitment V = uG + rH and a set with polynomial P it shows P(u) = 0, or P(u) ≠ 0, and
nothing else about u (EUROCRYPT 2013; here the powers of u share one vector commitment). Notation
is the paper's: uⱼ = u^{2^j}, m of them. A proof is the encodings, in this order, of

    C, F, F_0, [W if not a member], D_0 … D_{m-1}, f̄_0 … f̄_{m-1}, r̄_0, r̄_1, τ̄

so 80(m + 3) bytes, and 48 more if not a member. It refuses proofs of any other length, and to
prove what is false. What the statement belongs to (attestation, grant, context) must be in the
transcript before either side begins; that V was attested, and that the set's type is the
attribute's, is for the caller to check.

SPEC.md, "Membership argument".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from proofs import generators, group, labels
from proofs.equation import Equation
from proofs.errors import CannotProveError, EncodingError, ProofError
from proofs.generators import G, Generator, H, K
from proofs.group import ONE, POINT_BYTES, SCALAR_BYTES, ZERO, Point, Scalar
from proofs.randomness import ProverRandomness
from proofs.set_polynomial import power_count
from proofs.sets import ScalarSet
from proofs.transcript import Transcript


def proof_length(set_size: int, *, member: bool) -> int:
    """Exact bytes of a proof about a set of this size."""
    m = power_count(set_size)
    return POINT_BYTES * (m + 3 + (not member)) + SCALAR_BYTES * (m + 3)


def prove_membership(
    transcript: Transcript,
    value: Scalar,
    blinding: Scalar,
    commitment: bytes,
    members: ScalarSet,
    *,
    member: bool,
) -> bytes:
    """Prove that `value` is (or is not) in the set; `commitment` is value·G + blinding·H, encoded.

    Raises CannotProveError when it is the other way round; the transcript is then spoilt.
    """
    if (value in members) is not member:
        raise CannotProveError("the value is " + ("not in" if member else "in") + " the set")
    _absorb_statement(transcript, commitment, members, member=member)
    witness = [group.encode_scalar(value), group.encode_scalar(blinding)]
    while True:
        attempt = transcript.fork()
        proof = _attempt(attempt, value, blinding, members, member=member, witness=witness)
        if proof is not None:
            transcript.adopt(attempt)
            return proof


def _attempt(
    transcript: Transcript,
    u: Scalar,
    r: Scalar,
    members: ScalarSet,
    *,
    member: bool,
    witness: Sequence[bytes],
) -> bytes | None:
    """One run of the prover after the statement; None in the one case of q that x is zero."""
    polynomial = members.polynomial
    m = polynomial.powers
    random = ProverRandomness(transcript, labels.frame(*witness))
    f = random.scalars(m)
    rho = random.scalars(m)
    s_0, r_1, s_1, rho_w = random.scalars(4)

    us = [u]
    while len(us) < m:
        us.append(us[-1] * us[-1])
    crosses = [(us[j] + us[j]) * f[j] - f[j + 1] for j in range(m - 1)]
    bases = _vector_bases(m)
    C = generators.multiply_fixed(bases, [*us[1:], *crosses, r_1])
    F = generators.multiply_fixed(bases, [*f[1:], *[fj * fj for fj in f[:-1]], s_1])
    F_0 = generators.multiply_fixed((G, H), [f[0], s_0])

    # Q(X) = Σ aᵢ Π (uⱼX + fⱼ)^{iⱼ} X^{1-iⱼ}, read from the constant term to X^m.
    *delta, w = reversed(polynomial.along_line(us, f))
    if member:
        inverse, slope, slant = None, ONE, ZERO
    else:
        # D_k = δ_k·W + ρ_k·H with W = w^{-1}K + ρ_W·H, written over K and H.
        slope, slant = w.inverse(), rho_w
        inverse = group.encode_point(generators.multiply_fixed((K, H), [slope, slant]))
    D = [
        generators.multiply_fixed((K, H), [d * slope, d * slant + rho_k])
        for d, rho_k in zip(delta, rho, strict=True)
    ]

    first = [group.encode_point(point) for point in (C, F, F_0)]
    last = [group.encode_point(point) for point in D]
    x = transcript.membership_commitments(first, inverse, last)
    if x == ZERO:
        return None
    powers = group.powers(x, m + 1)
    tau = sum([xk * rho_k for xk, rho_k in zip(powers, rho, strict=False)], ZERO)
    if not member:
        tau = tau - powers[m] * w * rho_w
    responses = [x * uj + fj for uj, fj in zip(us, f, strict=True)]
    responses += [x * r + s_0, x * r_1 + s_1, tau]
    encoded = [group.encode_scalar(response) for response in responses]
    transcript.membership_responses(encoded)
    middle = [] if inverse is None else [inverse]
    return b"".join([*first, *middle, *last, *encoded])


def verify_membership(
    transcript: Transcript,
    commitment: Point,
    encoding: bytes,
    members: ScalarSet,
    proof: bytes,
    *,
    member: bool,
) -> list[Equation]:
    """The three equations that hold exactly when the proof is right. They are NOT yet checked.

    `commitment` is V, decoded as a statement point from `encoding`. Hand the equations, apart, to
    `equation.check`: added up without independent weights, errors in one hide in another. Raises
    EncodingError for a wrong length, point or scalar, ProofError for the challenge zero.
    """
    polynomial = members.polynomial
    m = polynomial.powers
    if len(proof) != proof_length(members.size, member=member):
        raise EncodingError("a membership proof of another length than its set asks for")
    _absorb_statement(transcript, encoding, members, member=member)

    ends = POINT_BYTES * (m + 3 + (not member))
    encodings = [proof[k : k + POINT_BYTES] for k in range(0, ends, POINT_BYTES)]
    head = 3 if member else 4
    inverse = None if member else encodings[3]
    x = transcript.membership_commitments(encodings[:3], inverse, encodings[head:])
    if x == ZERO:
        raise ProofError("a membership proof with the challenge zero")
    encoded = [proof[k : k + SCALAR_BYTES] for k in range(ends, len(proof), SCALAR_BYTES)]
    transcript.membership_responses(encoded)
    C, F, F_0, *rest = [group.decode_proof_point(data) for data in encodings]
    *fs, r_0, r_1, tau = [group.decode_scalar(data) for data in encoded]

    # The verifier's Q(x), from f̄ⱼ = xuⱼ + fⱼ: x^m times P's sum at f̄ⱼ/x.
    powers = group.powers(x, m + 1)
    x_inverse = x.inverse()
    Q = powers[m] * polynomial.evaluate([f * x_inverse for f in fs])

    value = Equation((G, H), [-fs[0], -r_0], [commitment, F_0], [x, ONE])
    squares = [x * fs[j + 1] - fs[j] * fs[j] for j in range(m - 1)]
    vector = Equation(_vector_bases(m), [*[-f for f in fs[1:]], *squares, -r_1], [C, F], [x, ONE])
    if member:
        root = Equation((K, H), [-Q, -tau], rest, powers[:m])
    else:
        root = Equation((K, H), [powers[m], -tau], rest, [-Q, *powers[:m]])
    return [value, vector, root]


@lru_cache(maxsize=32)
def _vector_bases(m: int) -> tuple[Generator, ...]:
    """U_1 … U_{m-1}, S_0 … S_{m-2}, H."""
    return (*generators.power_bases(m)[1:], *generators.product_bases(m - 1), H)


def _absorb_statement(
    transcript: Transcript, commitment: bytes, members: ScalarSet, *, member: bool
) -> None:
    m = power_count(members.size)
    transcript.membership_statement(
        commitment,
        powers=m,
        member=member,
        size=members.size,
        set_digest=members.digest,
        generators=generators.generators_digest(generators.membership_generators(m)),
    )
