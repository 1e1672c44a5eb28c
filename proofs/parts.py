"""One part of a proof over a selection: a task that any process can do, and its verification.

Every part has a transcript of its own, which begins with all that the bundle is about and with
the part's place, so parts are independent proofs of one statement each: they can be made in any
order, by any process, and a part of another bundle or place verifies nowhere. A task holds values
and blindings of the commitments that its part is about, and so is secret; it can be pickled, for
process pools and clusters, and whoever receives one can prove and no more.

SPEC.md, "Facts over a selection".
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from proofs import group, labels
from proofs.arguments import Sets, proof_lengths, prove_terms, verify_terms
from proofs.equation import Equation, fold
from proofs.errors import EncodingError
from proofs.group import SCALAR_BYTES, Point, Scalar
from proofs.list_statement import ListStatement
from proofs.sets import MAX_SET_SIZE, ScalarSet
from proofs.statement import LiteralSet, Statement
from proofs.transcript import Transcript


@dataclass(frozen=True, slots=True)
class CarriedSet:
    """A named set in a task: its members as 32 bytes each, and its type."""

    name: str
    type_tag: bytes
    members: bytes


@dataclass(frozen=True, slots=True)
class PartTask:
    """One part to prove. `openings` are value and blinding, 64 bytes, by slot."""

    seed: bytes
    index: int
    count: int
    statement: Statement
    commitments: tuple[tuple[int, bytes], ...]
    openings: tuple[tuple[int, bytes], ...] = field(repr=False)
    sets: tuple[CarriedSet, ...] = field(repr=False)


def tasks(
    seed: bytes,
    statement: ListStatement,
    commitments: Mapping[int, bytes],
    openings: Mapping[int, tuple[Scalar, Scalar]],
    sets: Sets,
) -> list[PartTask]:
    """A task for each part, in order."""
    carried = {
        name: CarriedSet(name, each.type_tag, b"".join(each.encodings))
        for name, each in sets.items()
    }
    return [
        PartTask(
            seed=seed,
            index=index,
            count=len(statement.parts),
            statement=part,
            commitments=tuple((slot, commitments[slot]) for slot in part.attributes),
            openings=tuple(
                (slot, b"".join(map(group.encode_scalar, openings[slot])))
                for slot in part.attributes
            ),
            sets=tuple(carried[name] for name in _named_sets(part)),
        )
        for index, part in enumerate(statement.parts)
    ]


def prove_part(task: PartTask) -> bytes:
    """The part's proof.

    Raises:
        CannotProveError: a fact is false.
    """
    openings = {
        slot: (group.decode_scalar(pair[:SCALAR_BYTES]), group.decode_scalar(pair[SCALAR_BYTES:]))
        for slot, pair in task.openings
    }
    return prove_terms(
        _transcript(task.seed, task.index, task.count),
        task.statement,
        dict(task.commitments),
        openings.__getitem__,
        {each.name: _members(each.members, each.type_tag) for each in task.sets},
    )


def verify_parts(
    seed: bytes,
    statement: ListStatement,
    commitments: Mapping[int, bytes],
    points: Mapping[int, Point],
    proof: bytes,
    sets: Sets,
) -> Equation:
    """The equations of all parts as one, NOT yet checked; errors as of `arguments.verify_terms`."""
    lengths = [sum(proof_lengths(part, sets)) for part in statement.parts]
    if len(proof) != sum(lengths):
        raise EncodingError(
            f"the proof has {len(proof)} bytes, its facts take {sum(lengths)}: "
            "cut off, extended, or of other facts"
        )

    def equations() -> Iterator[Equation]:
        at = 0
        for index, (part, length) in enumerate(zip(statement.parts, lengths, strict=True)):
            transcript = _transcript(seed, index, len(statement.parts))
            piece = proof[at : at + length]
            yield from verify_terms(transcript, part, commitments, points, piece, sets)
            at += length

    # Thousands of parts have as many multiples of the same generators; only their sums are kept.
    return fold(equations())


def _transcript(seed: bytes, index: int, count: int) -> Transcript:
    transcript = Transcript(labels.PART)
    transcript.part_statement(seed, index=index, count=count)
    return transcript


def _named_sets(part: Statement) -> list[str]:
    named = (each.set for each in part.memberships)
    return sorted({each.name for each in named if not isinstance(each, LiteralSet)})


_kept: OrderedDict[tuple[bytes, bytes], ScalarSet] = OrderedDict()
_lock = threading.Lock()


def _members(encoded: bytes, type_tag: bytes) -> ScalarSet:
    """Kept between tasks, for its polynomial takes longer than a proof.

    Not more members than one set can have, and the last set: a process would grow to gigabytes.
    """
    key = encoded, type_tag
    with _lock:
        found = _kept.get(key)
    if found is None:
        places = range(0, len(encoded), SCALAR_BYTES)
        scalars = [group.decode_scalar(encoded[at : at + SCALAR_BYTES]) for at in places]
        found = ScalarSet.from_scalars(scalars, type_tag)
    with _lock:
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > 1 and sum(each.size for each in _kept.values()) > MAX_SET_SIZE:
            _kept.popitem(last=False)
    return found
