"""The range argument: many committed values, each in [0, 16^digits), in one proof.

Bulletproofs++ reciprocal argument in base 16 (Eagen, Kanjalkar, Ruffing, Nick, EUROCRYPT 2024).
The digits of all values stand in one vector; that each is one of 0 … 15 follows from the equality
of two sums of reciprocals, and that they make up the values from a weighted sum. All of it is
one coefficient of a polynomial norm, shown with the norm-linear argument.

It refuses values outside the range and proofs of another length than the statement's. The caller
has absorbed where the commitments come from, and vouches that each is attested: with one that
has a component beside G and H, a digit would go unchecked.

SPEC.md, "Range argument".
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

from proofs import group, norm_linear
from proofs.equation import Equation
from proofs.errors import CannotProveError, EncodingError
from proofs.generators import (
    LINEAR_LENGTH,
    G,
    generators_digest,
    linear_bases,
    multiply_fixed,
    norm_bases,
    range_generators,
)
from proofs.group import ONE, POINT_BYTES, ZERO, Point, Scalar
from proofs.randomness import ProverRandomness
from proofs.range_digits import Digits
from proofs.range_terms import (
    BASE,
    CONSTRAINT_POWERS,
    HEAD_POINTS,
    Layout,
    Public,
    UnusableChallengeError,
    constraint,
    public_vectors,
    reciprocals,
    usable,
)
from proofs.transcript import Transcript

# Entries of the blinding l_M. Entry 3 is l_D's; entry 6 would reach T^7, which nothing cancels.
# With this placement the vectors that are opened in the end are independent of the witness.
_M_ENTRIES = (0, 1, 2, 4, 5, 7)
_D_ENTRY = 3


def proof_length(count: int, digits: int) -> int:
    """Exact bytes of a proof for `count` values of `digits` digits; FactError past the bounds."""
    return Layout.of(count, digits).proof_bytes


def prove_ranges(
    transcript: Transcript,
    values: Sequence[int],
    blindings: Sequence[Scalar],
    commitments: Sequence[bytes],
    *,
    digits: int,
) -> bytes:
    """Prove that every commitment holds a value in [0, 16^digits).

    `commitments[j]` encodes values[j]·G + blindings[j]·H. CannotProveError when a value is
    outside, FactError when the parameters are.
    """
    if not len(values) == len(blindings) == len(commitments):
        raise ValueError("as many values, blindings and commitments")
    layout = Layout.of(len(values), digits)
    if not all(0 <= value < BASE**digits for value in values):
        raise CannotProveError("a value is outside the range that was to be proven")
    _absorb_statement(transcript, commitments, layout)
    encoded = [value.to_bytes(32, "big") for value in values]
    encoded += [group.encode_scalar(blinding) for blinding in blindings]
    witness = b"".join(encoded)
    while True:
        attempt = transcript.fork()
        randomness = ProverRandomness(attempt, witness)
        try:
            proof = _prove_once(attempt, values, blindings, layout, randomness)
        except UnusableChallengeError:
            continue
        transcript.adopt(attempt)
        return proof


def verify_ranges(
    transcript: Transcript,
    commitments: Sequence[Point],
    encodings: Sequence[bytes],
    proof: bytes,
    *,
    digits: int,
) -> Equation:
    """The equation that holds exactly if the proof is one for these commitments.

    Nothing is verified before the equation is checked. The commitments are decoded statement
    points, or sums of such; `encodings` are theirs. EncodingError for a malformed proof,
    FactError for parameters out of bounds.
    """
    if len(commitments) != len(encodings):
        raise ValueError("as many commitments and encodings")
    layout = Layout.of(len(commitments), digits)
    if len(proof) != layout.proof_bytes:
        raise EncodingError("the range argument has another length than its statement")
    _absorb_statement(transcript, encodings, layout)
    head = [proof[i * POINT_BYTES : (i + 1) * POINT_BYTES] for i in range(HEAD_POINTS)]
    m_point, d_point, r_point, s_point = map(group.decode_proof_point, head)
    try:
        e = transcript.range_digits(head[0], head[1])
        inverses = reciprocals(e)
        public = public_vectors(layout, e, inverses, transcript.range_reciprocals(head[2]))
        t = usable(transcript.range_blinding(head[3]))
    except UnusableChallengeError:
        raise EncodingError("the range argument has a challenge that no proof has") from None
    t_inverse, t2 = t.inverse(), t.square()
    t3 = t2 * t
    opening = norm_linear.verify(
        transcript,
        proof[HEAD_POINTS * POINT_BYTES :],
        constraint=constraint(public.y, t, t_inverse),
        norm_length=layout.norm_length,
        rho=public.rho,
    )
    # t·alpha_r + t²·alpha_d + t³·alpha_m, less what the opening claims.
    shifts = [t * a + t2 * b for a, b in zip(public.alpha_r, public.alpha_d, strict=True)]
    shifts += [ZERO] * (layout.norm_length - layout.real)
    for i, alpha_m in enumerate(public.alpha_m):
        shifts[i] += t3 * alpha_m
    norm = [shift - entry for shift, entry in zip(shifts, opening.norm, strict=True)]
    doubled = t3 + t3
    return Equation(
        fixed=range_generators(layout.norm_length),
        fixed_scalars=[
            t3 * public.constant - opening.value,
            *[-entry for entry in opening.linear],
            *norm,
        ],
        points=[s_point, m_point, d_point, r_point, *commitments, *opening.points],
        scalars=[
            t_inverse,
            ONE,
            t,
            t2,
            *[doubled * weight for weight in public.value_weights],
            *opening.scalars,
        ],
    )


def _absorb_statement(transcript: Transcript, encodings: Sequence[bytes], layout: Layout) -> None:
    transcript.range_statement(
        encodings,
        digits=layout.digits,
        norm_length=layout.norm_length,
        generators=generators_digest(range_generators(layout.norm_length)),
    )


def _prove_once(
    transcript: Transcript,
    values: Sequence[int],
    blindings: Sequence[Scalar],
    layout: Layout,
    randomness: ProverRandomness,
) -> bytes:
    m0, d0, r0, d_blind, s_last, *m_blinds = randomness.scalars(5 + len(_M_ENTRIES))
    s = randomness.scalars(layout.norm_length)

    bases, linear = norm_bases(layout.norm_length), linear_bases()
    digits = Digits(values, layout)
    m_bases = [G, *(linear[i] for i in _M_ENTRIES)]
    m_encoded = group.encode_point(digits.commit_occurrences(m_bases, [m0, *m_blinds]))
    d_encoded = group.encode_point(digits.commit_digits([G, linear[_D_ENTRY]], [d0, d_blind]))
    e = transcript.range_digits(m_encoded, d_encoded)
    inverses = reciprocals(e)
    r_encoded = group.encode_point(digits.commit_chosen(r0, inverses))
    d = digits.scalars
    r = [inverses[digit] for digit in digits.digits]
    public = public_vectors(layout, e, inverses, transcript.range_reciprocals(r_encoded))

    # n(T) and l(T) without s: coefficients of T^-1 … T^3, and of T^0 … T^3.
    n = [
        s,
        _padded(digits.occurrences, layout),
        _padded(list(map(Scalar.__add__, d, public.alpha_r)), layout),
        _padded(list(map(Scalar.__add__, r, public.alpha_d)), layout),
        _padded(public.alpha_m, layout),
    ]
    l_m = [ZERO] * LINEAR_LENGTH
    for entry, blind in zip(_M_ENTRIES, m_blinds, strict=True):
        l_m[entry] = blind
    blinding = sum(map(mul, public.value_weights, blindings), ZERO)
    blinding += blinding

    errors = _error_coefficients(n, public, l_m, d_blind, blinding, (m0, d0, r0))
    minus_y_inverse = -public.y.inverse()
    l_s = [*(errors[power - 1] * minus_y_inverse for power in CONSTRAINT_POWERS), s_last]
    s_encoded = group.encode_point(multiply_fixed([G, *linear, *bases], [errors[-1], *l_s, *s]))
    t = usable(transcript.range_blinding(s_encoded))

    t_inverse, t2 = t.inverse(), t.square()
    t3 = t2 * t
    l_t = [a * t_inverse + b for a, b in zip(l_s, l_m, strict=True)]
    l_t[_D_ENTRY] += t * d_blind
    l_t[0] += t3 * blinding
    n_t = [a * t_inverse + b + c * t + d * t2 + e * t3 for a, b, c, d, e in zip(*n, strict=True)]
    inner = norm_linear.prove(
        transcript,
        constraint=constraint(public.y, t, t_inverse),
        linear=l_t,
        norm=n_t,
        rho=public.rho,
    )
    return b"".join([m_encoded, d_encoded, r_encoded, s_encoded, inner])


def _error_coefficients(
    n: Sequence[Sequence[Scalar]],
    public: Public,
    l_m: Sequence[Scalar],
    d_blind: Scalar,
    blinding: Scalar,
    heads: tuple[Scalar, Scalar, Scalar],
) -> dict[int, Scalar]:
    """E(T) = |n(T)|² + <c(T), l(T) without l_S> - (m0 + d0·T + r0·T²), but for its T³.

    The T³ coefficient is fixed by the statement; all others but T^-1 are cancelled by l_S.
    """
    result = dict.fromkeys(range(-2, 7), ZERO)
    for i, left in enumerate(n):
        weighted = list(map(mul, left, public.mu_powers))
        for j in range(i, len(n)):
            power = i + j - 2
            if power != 3:
                product = sum(map(mul, weighted, n[j]), ZERO)
                result[power] += product if i == j else product + product
    for power, entry in zip(CONSTRAINT_POWERS, l_m, strict=False):
        if power != 7:
            result[power] += public.y * entry
    result[CONSTRAINT_POWERS[_D_ENTRY] + 1] += public.y * d_blind
    result[CONSTRAINT_POWERS[0] + 3] += public.y * blinding
    for power, head in enumerate(heads):
        result[power] -= head
    return result


def _padded(vector: list[Scalar], layout: Layout) -> list[Scalar]:
    return vector + [ZERO] * (layout.norm_length - len(vector))
