"""Attestations are read by one pattern where they can be, by fields elsewhere: with one result."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support.bundles import attestation

from proofs import attestation as module
from proofs.attestation import Attestation
from proofs.errors import CrossproofError

Read = Callable[[bytes], Attestation | str]


def by_either(data: bytes) -> Attestation | str:
    """The attestation, or what is said of it."""
    try:
        return Attestation.parse(data)
    except CrossproofError as error:
        return f"{error.reason}: {error}"


@pytest.fixture
def by_fields(monkeypatch: pytest.MonkeyPatch) -> Read:
    """The same without the pattern."""

    def read(data: bytes) -> Attestation | str:
        with monkeypatch.context() as patch:
            patch.setattr(module, "_SPELLING", re.compile("(?!)"))
            return by_either(data)

    return read


@pytest.mark.parametrize("changes", [{}, {"personal_part": None}])
def test_the_pattern_reads_what_fields_read(changes: dict[str, object], by_fields: Read) -> None:
    """And it does read it: nothing falls through to the slower reader."""
    data = attestation(**changes)
    assert module._SPELLING.fullmatch(data.decode()) is not None
    assert isinstance(by_fields(data), Attestation)
    assert by_either(data) == by_fields(data)


@pytest.mark.parametrize("byte", b'01"/A\\ {')
def test_every_changed_byte_is_read_alike(byte: int, by_fields: Read) -> None:
    """Whichever byte is another: the same attestation, or the same refusal in the same words."""
    data = attestation()
    for place in range(len(data)):
        changed = data[:place] + bytes([byte]) + data[place + 1 :]
        assert by_either(changed) == by_fields(changed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"version":2', b'"version":2147483647'),
        (b'"version":2', b'"version":2147483648'),
        (b'"version":2', b'"version":02'),
        (b'"version":2', b'"version":2.0'),
        (b'"version":2}', b'"version":2}\n'),
        (b'"from":"2026-06-30"', b'"from":"2026-02-30"'),
        (b'"from":"2026-06-30"', b'"from":"2026-07-01"'),
        (b'"asset":"cn', b'"asset":".n'),
        (b'"asset":"cn', b'"asset":"' + b"c" * 128),
        (b'"asset_part":"b', b'"asset_part":"z'),
        (b'"attested_at":"20', b'"attested_at":"99'),
        (b'"attested_at":"20', b'"attested_at":"00'),
        (b'"valid_until":"20', b'"valid_until":"19'),
        (b'"presence":"', b'"presence":"1'),
        (b'"presence":"', b'"presence":"' + b"0" * 64),
        (b'"commitments":"', b'"commitments":"' + b"A" * 4096),
        (b'"commitments":"', b'"commitments":"' + b"A" * 17_000),
        (b'{"as_of"', b'{"about":1,"as_of"'),
        (b'"version":2', b'"version":2,"version":2'),
    ],
)
def test_forms_at_the_edge_are_read_alike(before: bytes, after: bytes, by_fields: Read) -> None:
    """Bounds that the pattern cannot express hold for it too."""
    data = attestation()
    changed = data.replace(before, after, 1)
    assert changed != data
    assert by_either(changed) == by_fields(changed)
