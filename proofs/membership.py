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
from dataclasses import dataclass
from functools import lru_cache

from proofs import generators, group, labels
from proofs.equation import Equation
from proofs.errors import CannotProveError, EncodingError, ProofError
from proofs.generators import G, Generator, H, K
from proofs.group import ONE, POINT_BYTES, SCALAR_BYTES, ZERO, Point, Scalar
from proofs.randomness import ProverRandomness
from proofs.set_polynomial import SetPolynomial, power_count
from proofs.sets import ScalarSet
from proofs.transcript import Transcript


def proof_length(set_size: int, *, member: bool) -> int:
    """Exact bytes of a proof about a set of this size."""
    m = power_count(set_size)
    return POINT_BYTES * (m + 3 + (not member)) + SCALAR_BYTES * (m + 3)


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """What a prover sends before the challenge, encoded: C, F, F_0; W if not a member; the D_k."""

    vectors: tuple[bytes, ...]
    inverse: bytes | None
    coefficients: tuple[bytes, ...]

    def encode(self) -> bytes:
        """As it stands in a proof."""
        middle = () if self.inverse is None else (self.inverse,)
        return b"".join([*self.vectors, *middle, *self.coefficients])


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
    witness = labels.frame(group.encode_scalar(value), group.encode_scalar(blinding))
    while True:
        attempt = transcript.fork()
        random = ProverRandomness(attempt, witness)
        begun = Begun(random, value, blinding, members.polynomial, member=member)
        first = begun.message
        x = attempt.membership_commitments(first.vectors, first.inverse, first.coefficients)
        if x == ZERO:  # one case of q
            continue
        responses = begun.respond(x)
        attempt.membership_responses(responses)
        transcript.adopt(attempt)
        return b"".join([first.encode(), *responses])


class Begun:
    """A prover who has sent its first message, and answers one challenge."""

    __slots__ = ("_rest", "_us", "message")

    def __init__(
        self,
        random: ProverRandomness,
        u: Scalar,
        r: Scalar,
        polynomial: SetPolynomial,
        *,
        member: bool,
    ) -> None:
        """Draw everything. `member` says which of P(u) = 0 and P(u) ≠ 0 is true."""
        m = polynomial.powers
        f = random.scalars(m)
        rho = random.scalars(m)
        s_0, r_1, s_1, rho_w = random.scalars(4)

        us = [u]
        while len(us) < m:
            us.append(us[-1] * us[-1])
        crosses = [(us[j] + us[j]) * f[j] - f[j + 1] for j in range(m - 1)]
        bases = vector_bases(m)
        C = generators.multiply_fixed(bases, [*us[1:], *crosses, r_1])
        F = generators.multiply_fixed(bases, [*f[1:], *[fj * fj for fj in f[:-1]], s_1])
        F_0 = generators.multiply_fixed((G, H), [f[0], s_0])

        # Q(X) = Σ aᵢ Π (uⱼX + fⱼ)^{iⱼ} X^{1-iⱼ}, read from the constant term to X^m.
        *delta, w = reversed(polynomial.along_line(us, f))
        if member:
            inverse, slope, slant, top = None, ONE, ZERO, ZERO
        else:
            # D_k = δ_k·W + ρ_k·H with W = w^{-1}K + ρ_W·H, written over K and H.
            slope, slant, top = w.inverse(), rho_w, w * rho_w
            inverse = group.encode_point(generators.multiply_fixed((K, H), [slope, slant]))
        D = [
            generators.multiply_fixed((K, H), [d * slope, d * slant + rho_k])
            for d, rho_k in zip(delta, rho, strict=True)
        ]
        self.message = FirstMessage(
            tuple(map(group.encode_point, (C, F, F_0))), inverse, tuple(map(group.encode_point, D))
        )
        self._us = (us, f)
        self._rest = (r, s_0, r_1, s_1, rho, top)

    def respond(self, x: Scalar) -> list[bytes]:
        """The responses to a challenge, encoded. A second one would give the witness away."""
        us, f = self._us
        r, s_0, r_1, s_1, rho, top = self._rest
        powers = group.powers(x, len(us) + 1)
        tau = sum([xk * rho_k for xk, rho_k in zip(powers, rho, strict=False)], ZERO)
        responses = [x * uj + fj for uj, fj in zip(us, f, strict=True)]
        responses += [x * r + s_0, x * r_1 + s_1, tau - powers[-1] * top]
        return [group.encode_scalar(response) for response in responses]

    def __repr__(self) -> str:
        return "Begun(redacted)"


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
    first, responses = cut(proof, members.size, member=member)
    _absorb_statement(transcript, encoding, members, member=member)
    x = transcript.membership_commitments(first.vectors, first.inverse, first.coefficients)
    if x == ZERO:
        raise ProofError("a membership proof with the challenge zero")
    transcript.membership_responses(responses)
    return equations(commitment, members.polynomial, first, x, responses)


def cut(proof: bytes, size: int, *, member: bool) -> tuple[FirstMessage, list[bytes]]:
    """First message and responses of a proof about a set of this size; EncodingError."""
    if len(proof) != proof_length(size, member=member):
        raise EncodingError("a membership proof of another length than its set asks for")
    ends = POINT_BYTES * (power_count(size) + 3 + (not member))
    points = [proof[k : k + POINT_BYTES] for k in range(0, ends, POINT_BYTES)]
    responses = [proof[k : k + SCALAR_BYTES] for k in range(ends, len(proof), SCALAR_BYTES)]
    head = 3 if member else 4
    inverse = None if member else points[3]
    return FirstMessage(tuple(points[:3]), inverse, tuple(points[head:])), responses


def equations(
    commitment: Point,
    polynomial: SetPolynomial,
    first: FirstMessage,
    x: Scalar,
    responses: Sequence[bytes],
) -> list[Equation]:
    """The verifier's three equations at a challenge other than zero; EncodingError."""
    m = polynomial.powers
    C, F, F_0 = map(group.decode_proof_point, first.vectors)
    middle = [] if first.inverse is None else [group.decode_proof_point(first.inverse)]
    D = list(map(group.decode_proof_point, first.coefficients))
    *fs, r_0, r_1, tau = map(group.decode_scalar, responses)

    # The verifier's Q(x), from f̄ⱼ = xuⱼ + fⱼ: x^m times P's sum at f̄ⱼ/x.
    powers = group.powers(x, m + 1)
    x_inverse = x.inverse()
    Q = powers[m] * polynomial.evaluate([f * x_inverse for f in fs])

    value = Equation((G, H), [-fs[0], -r_0], [commitment, F_0], [x, ONE])
    squares = [x * fs[j + 1] - fs[j] * fs[j] for j in range(m - 1)]
    vector = Equation(vector_bases(m), [*[-f for f in fs[1:]], *squares, -r_1], [C, F], [x, ONE])
    if middle:
        root = Equation((K, H), [powers[m], -tau], [*middle, *D], [-Q, *powers[:m]])
    else:
        root = Equation((K, H), [-Q, -tau], D, powers[:m])
    return [value, vector, root]


@lru_cache(maxsize=32)
def vector_bases(m: int) -> tuple[Generator, ...]:
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
