"""A commitment opens to a value that is shown: Schnorr's proof of knowledge of the blinding.

For V = xG + rH with x public it shows that r is known, bound to everything that the transcript
holds; r stays secret. Were r itself the proof, nothing would bind it: whoever saw one bundle could
move the expiry of another that only shows values, and make such bundles without the vault.

A proof is the encodings of A and s, 80 bytes. It refuses every other length. That V was attested,
and that the value may be shown, is for the caller to check.

SPEC.md, "Opening argument".
"""

from __future__ import annotations

from proofs import generators, group, labels
from proofs.equation import Equation
from proofs.errors import EncodingError, ProofError
from proofs.generators import G, H
from proofs.group import ONE, POINT_BYTES, SCALAR_BYTES, ZERO, Point, Scalar
from proofs.randomness import ProverRandomness
from proofs.transcript import Transcript

PROOF_BYTES = POINT_BYTES + SCALAR_BYTES


def prove_opening(
    transcript: Transcript, value: Scalar, blinding: Scalar, commitment: bytes
) -> bytes:
    """Prove that `commitment`, which encodes value·G + blinding·H, opens to `value`."""
    _absorb_statement(transcript, value, commitment)
    witness = labels.frame(group.encode_scalar(value), group.encode_scalar(blinding))
    while True:
        attempt = transcript.fork()
        (k,) = ProverRandomness(attempt, witness).scalars(1)
        first = group.encode_point(generators.multiply_fixed((H,), [k]))
        c = attempt.opening_commitment(first)
        if c == ZERO:
            continue
        response = group.encode_scalar(k + c * blinding)
        attempt.opening_response(response)
        transcript.adopt(attempt)
        return first + response


def verify_opening(
    transcript: Transcript, value: Scalar, commitment: Point, encoding: bytes, proof: bytes
) -> Equation:
    """The equation that holds exactly if the proof is right. It is NOT yet checked.

    `commitment` is V, decoded as a statement point from `encoding`. EncodingError for a wrong
    length, point or scalar, ProofError for the challenge zero.
    """
    if len(proof) != PROOF_BYTES:
        raise EncodingError("the proof of an opening has another length than 80 bytes")
    _absorb_statement(transcript, value, encoding)
    first, response = proof[:POINT_BYTES], proof[POINT_BYTES:]
    c = transcript.opening_commitment(first)
    if c == ZERO:
        raise ProofError("the proof of an opening has the challenge zero")
    transcript.opening_response(response)
    point, s = group.decode_proof_point(first), group.decode_scalar(response)
    # A + c(V - xG) - sH
    return Equation((G, H), [-(c * value), -s], [point, commitment], [ONE, c])


def _absorb_statement(transcript: Transcript, value: Scalar, commitment: bytes) -> None:
    transcript.opening_statement(
        commitment,
        value=group.encode_scalar(value),
        generators=generators.generators_digest((G, H)),
    )
