"""Forgeries that somebody tried against the whole verifier, and that must stay refused."""

from __future__ import annotations

import json

import pytest
from support.bundles import AUDIENCE, DAY, NOW, parts, sets, trust

from proofs import canonical
from proofs.canonical import format_instant
from proofs.errors import ProofError
from proofs.policy import Expectation
from proofs.verify import Verified, verify_bundle


def check(data: bytes) -> Verified:
    """Verify with what an honest verifier holds."""
    return verify_bundle(
        data,
        trust=trust(),
        expectation=Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        sets=sets(),
        now=NOW,
    )


def test_an_expiry_moved_where_only_values_are_shown() -> None:
    """A holder gives a bundle without ranges and sets all the time that the grant allows.

    It passed while an opening was the blinding itself: no challenge, so nothing bound the context.
    """
    data = parts(("province = Guangdong",)).build()
    assert check(data)
    for field, instant in (("expires", NOW + 20 * DAY), ("not_before", NOW - DAY)):
        tree = json.loads(data)
        tree["context"][field] = format_instant(instant)
        with pytest.raises(ProofError):
            check(canonical.dump(tree))
