"""A bundle about a set of more than one piece, at its real size, from the facts to the verdict."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from support import bundles as world
from support.bundles import NOW, Parts, named_set, trust
from support.checks import with_proof
from support.crossproof import run

from proofs.bundle import Bundle
from proofs.errors import CannotProveError, EncodingError, ProofError, SetError
from proofs.named_set import NamedSet
from proofs.set_argument import membership_length
from proofs.sets import PIECE_SIZE
from proofs.verify import Verified, verify_bundle

OUTSIDE = ("owner not in @sanctions",)
INSIDE = ("owner in @sanctions",)


@cache
def big(*extra: str) -> NamedSet:
    """The sanctioned names and so many others that they take a second piece."""
    others = tuple(f"somebody number {number}" for number in range(PIECE_SIZE))
    return named_set("sanctions", extra=(*others, *extra))


@cache
def parts(facts: tuple[str, ...], *extra: str) -> Parts:
    """Parts of a bundle about that set."""
    found = big(*extra)
    asked = world.request(facts, sets=[found.reference])
    return world.answering(world.parts(facts), asked, sets=(found,))


@cache
def proven(facts: tuple[str, ...], *extra: str) -> bytes:
    """The bundle."""
    return parts(facts, *extra).build()


def verify(found: Parts, data: bytes, *sets: NamedSet) -> Verified:
    return verify_bundle(
        data, trust=trust(), expectation=found.expectation(), sets=sets or found.sets, now=NOW
    )


def owner() -> str:
    return str(world.VALUES["owner"])


def test_a_name_outside_all_pieces() -> None:
    """Not a member: verified, and as long as an argument a piece."""
    found = parts(OUTSIDE)
    rest = big().header.count - PIECE_SIZE
    assert [piece.size for piece in big().scalars.pieces()] == [PIECE_SIZE, rest]
    verified = verify(found, proven(OUTSIDE))
    assert verified.facts == OUTSIDE
    length = membership_length(big().header.count, member=False)
    assert len(Bundle.parse(proven(OUTSIDE)).proof) == length


def test_a_name_in_some_piece() -> None:
    """A member: verified, and the other polarity refused by the prover."""
    found = parts(INSIDE, owner())
    assert verify(found, proven(INSIDE, owner())).facts == INSIDE
    with pytest.raises(CannotProveError):
        parts(OUTSIDE, owner()).build()
    with pytest.raises(CannotProveError):
        parts(INSIDE).build()


def test_another_version_is_not_at_hand() -> None:
    """Another list of this name has another digest, and the bundle names its own."""
    with pytest.raises(SetError, match="another version"):
        verify(parts(OUTSIDE), proven(OUTSIDE), named_set("sanctions"))


def test_a_flipped_bit_of_any_piece() -> None:
    """First messages, shares and responses of both pieces alike."""
    found = parts(INSIDE, owner())
    length = membership_length(big(owner()).header.count, member=True)
    for place in range(0, length, 97):

        def flip(proof: bytes, at: int = place) -> bytes:
            return proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :]

        with pytest.raises((ProofError, EncodingError)):
            verify(found, with_proof(proven(INSIDE, owner()), flip))


def test_the_commands_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified offline from the exported set, with a file in the cache for each piece."""
    found = parts(OUTSIDE)
    (tmp_path / "big.proof.json").write_bytes(proven(OUTSIDE))
    (tmp_path / "request.json").write_bytes(found.request.data)
    (tmp_path / "trust.toml").write_text(world.trust_text(), encoding="utf-8")
    (tmp_path / "sanctions.set").write_bytes(big().export())
    monkeypatch.setenv("CROSSPROOF_CACHE", str(tmp_path / "cache"))
    verify_it = ("verify", "big.proof.json", "--trust", "trust.toml", "--request", "request.json")
    code, _, said = run(tmp_path, *verify_it, "--set", "sanctions.set")
    assert code == 0, said
    assert f"{big().header.count} of type name" in said
    names = {f"{piece.digest.hex()}.poly" for piece in big().scalars.pieces()}
    assert {path.name for path in (tmp_path / "cache").iterdir()} == names
