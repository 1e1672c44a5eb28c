"""The stored vectors about sets in pieces: each ends as it says, and all can be made anew."""

from __future__ import annotations

import json
from typing import Any

import pytest
from vectors import pieces

from proofs import equation, errors, group
from proofs.errors import CrossproofError
from proofs.membership_pieces import pieces_length, verify_pieces
from proofs.transcript import Transcript

Tree = dict[str, Any]
STORED: Tree = json.loads(pieces.FILE.read_text(encoding="utf-8"))


def outcome(vector: Tree) -> str:
    """`Verified`, or the name of the class that was raised."""
    case = STORED["base"][vector["case"]] | vector["changes"]
    encoding = bytes.fromhex(case["commitment"])
    (commitment,) = group.decode_statement_points([encoding])
    try:
        equation.check(
            verify_pieces(
                Transcript(pieces.LABEL),
                commitment,
                encoding,
                pieces.made_set(map(int, case["members"])),
                pieces.apply(bytes.fromhex(case["proof"]), vector["splices"]),
                member=case["polarity"] == "member",
                piece_size=case["piece_size"],
            )
        )
    except CrossproofError as error:
        return type(error).__name__
    return "Verified"


@pytest.mark.parametrize("vector", STORED["vectors"], ids=lambda each: each["name"])
def test_vector(vector: Tree) -> None:
    """One failure, one class; a vector without an attack verifies."""
    assert outcome(vector) == vector["expect"]
    assert (vector["expect"] == "Verified") is (vector["attack"] == "none")


def test_they_are_made_from_the_base() -> None:
    """The file is what its script writes, and every case is used under one name each."""
    assert pieces.write(STORED["base"]) == pieces.FILE.read_text(encoding="utf-8")
    assert {each["case"] for each in STORED["vectors"]} == set(STORED["base"])
    names = [each["name"] for each in STORED["vectors"]]
    assert len(names) == len(set(names))
    classes = {each["expect"] for each in STORED["vectors"]} - {"Verified"}
    assert all(issubclass(getattr(errors, name), CrossproofError) for name in classes)


def test_another_cut_has_the_same_length() -> None:
    """So that it is the list of pieces that refuses it, and not the length."""
    lengths = {
        pieces_length(6, member=member, piece_size=size) for member, size in ((True, 3), (True, 4))
    }
    assert len(lengths) == 1
