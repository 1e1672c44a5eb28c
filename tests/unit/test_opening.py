"""The opening argument: true ones pass, false ones do not, and all that is absorbed counts."""

from __future__ import annotations

import pytest
from support.torsion import torsion_point
from support.transcripts import AlteringTranscript, RecordingTranscript, ScriptedTranscript

from proofs import equation, group, pedersen
from proofs.errors import CrossproofError, EncodingError, ProofError
from proofs.generators import G, H
from proofs.group import ORDER, Scalar, scalar
from proofs.opening import prove_opening, verify_opening
from proofs.transcript import Transcript

START = b"crossproof/test/v1"
VALUE, BLINDING = scalar(7), scalar(123456789)
V = pedersen.commit(VALUE, BLINDING)
ENCODED = group.encode_point(V)


def prove(transcript: Transcript) -> bytes:
    return prove_opening(transcript, VALUE, BLINDING, ENCODED)


def check(
    transcript: Transcript,
    proof: bytes,
    *,
    value: Scalar = VALUE,
    commitment: group.Point = V,
) -> None:
    encoding = group.encode_point(commitment)
    equation.check([verify_opening(transcript, value, commitment, encoding, proof)])


def refused(error: type[CrossproofError], proof: bytes, **options: object) -> None:
    with pytest.raises(error):
        check(Transcript(START), proof, **options)  # type: ignore[arg-type]


PROOF = prove(Transcript(START))


def test_the_true_value_passes_and_no_other() -> None:
    """One commitment opens to one value, and a value stands in one commitment."""
    check(Transcript(START), PROOF)
    refused(ProofError, PROOF, value=scalar(8))
    refused(ProofError, PROOF, commitment=pedersen.commit(VALUE, scalar(5)))
    lie = prove_opening(Transcript(START), scalar(8), BLINDING, ENCODED)
    refused(ProofError, lie, value=scalar(8))


def test_the_history_is_bound() -> None:
    """A proof made after something else was absorbed is none here: the hole that r itself left."""
    elsewhere = Transcript(START)
    elsewhere.append_bytes(b"context", b"another")
    refused(ProofError, prove(elsewhere))


@pytest.mark.parametrize("label", [b"argument", b"generators", b"value", b"V", b"A"])
def test_every_absorbed_item_counts(label: bytes) -> None:
    """An item that differs on the verifier's side changes the challenge."""
    transcript = AlteringTranscript(START, label=label)
    with pytest.raises(ProofError):
        check(transcript, PROOF)
    assert transcript.altered


def test_the_response_reaches_what_follows() -> None:
    """Both sides end in the same state, which depends on s."""
    prover, verifier = RecordingTranscript(START), RecordingTranscript(START)
    proof = prove(prover)
    check(verifier, proof)
    assert prover.events == verifier.events
    assert prover.fork().challenge(b"next") == verifier.fork().challenge(b"next")
    altered = AlteringTranscript(START, label=b"s")
    check(altered, proof)
    assert altered.challenge(b"next") != verifier.challenge(b"next")


def test_two_transcripts_give_the_blinding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Special soundness, run: one A, two challenges, and r comes out."""
    monkeypatch.setattr("secrets.token_bytes", lambda count: bytes(count))
    c = [scalar(5), scalar(9)]
    proofs = [prove(ScriptedTranscript(START, {b"c": each})) for each in c]
    assert proofs[0][:48] == proofs[1][:48]
    first, second = (group.decode_scalar(proof[48:]) for proof in proofs)
    assert (first - second) * (c[0] - c[1]).inverse() == BLINDING


def test_whoever_knows_the_challenge_needs_no_witness() -> None:
    """Zero knowledge, run: a proof about a point that nobody can open, for a challenge known."""
    point, c, s = group.hash_to_point(b"test", b"nobody"), scalar(77), group.random_scalar()
    a = group.multiply([H.point, G.point, point], [s, c * VALUE, -c])
    proof = group.encode_point(a) + group.encode_scalar(s)
    check(ScriptedTranscript(START, {b"c": c}), proof, commitment=point)
    refused(ProofError, proof, commitment=point)


def test_the_challenge_zero() -> None:
    """The prover draws anew, the verifier refuses: V would not enter the equation."""
    scripted = ScriptedTranscript(START, {b"c": group.ZERO}, once=True)
    check(Transcript(START), prove(scripted))
    free = group.encode_point(H.point) + group.encode_scalar(group.ONE)
    with pytest.raises(ProofError, match="zero"):
        check(ScriptedTranscript(START, {b"c": group.ZERO}), free, value=scalar(8))


def test_one_spelling() -> None:
    """Other lengths, s + q, the identity and torsion added afterwards are refused."""
    for wrong in (b"", PROOF[:-1], PROOF + b"\0", PROOF[:48]):
        refused(EncodingError, wrong)
    s = int.from_bytes(PROOF[48:], "big") + ORDER
    if s < 1 << 256:
        refused(EncodingError, PROOF[:48] + s.to_bytes(32, "big"))
    refused(EncodingError, b"\xc0" + bytes(47) + PROOF[48:])
    a = group.decode_proof_point(PROOF[:48])
    refused(ProofError, group.encode_point(a + torsion_point(11)) + PROOF[48:])


def test_every_bit_counts() -> None:
    """All 640 flips are refused."""
    for bit in range(8 * len(PROOF)):
        changed = bytearray(PROOF)
        changed[bit // 8] ^= 1 << bit % 8
        refused(CrossproofError, bytes(changed))
