"""For tests of the verifier's checks: a verdict, a refusal, and bundles changed at one place."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from proofs import canonical
from proofs.errors import (
    CrossproofError,
)
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import Verified, verify_bundle
from support.bundles import (
    AUDIENCE,
    NOW,
    SMALL_FACTS,
    Parts,
    parts,
    sets,
    small,
    trust,
    trust_text,
)

MINUTE = timedelta(minutes=1)


def check(
    data: bytes,
    *,
    expectation: Expectation | None = None,
    pinned: Trust | None = None,
    held: tuple[NamedSet, ...] | None = None,
    now: datetime = NOW,
) -> Verified:
    """Verify with what an honest verifier of `small()` and `good()` would hold."""
    return verify_bundle(
        data,
        trust=pinned or trust(),
        expectation=expectation or Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
        sets=sets() if held is None else held,
        now=now,
    )


def refused(error: type[CrossproofError], message: str, data: bytes, **options: object) -> None:
    """The bundle is refused with this class and reason, and never with another exception."""
    with pytest.raises(error, match=message or None):
        check(data, **options)  # type: ignore[arg-type]


def changed(data: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    """The bundle with one change, in canonical form again."""
    tree = json.loads(data)
    change(tree)
    return canonical.dump(tree)


def few(**changes: object) -> Parts:
    """Parts with one range, but for the changes."""
    return parts(SMALL_FACTS, **changes)


def pinning(custodian: dict[str, object] | None = None, **options: object) -> Trust:
    """The trust file with changed fields."""
    return Trust.parse(trust_text(custodian=custodian, **options).encode())  # type: ignore[arg-type]


def text(instant: datetime) -> str:
    return canonical.format_instant(instant)


def with_proof(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    def put(tree: dict[str, object]) -> None:
        proof = base64.b64decode(str(tree["proof"]))
        tree["proof"] = base64.b64encode(change(proof)).decode()

    return changed(data, put)


def found_bundle(found: Parts) -> bytes:
    """A bundle of these parts around a proof of something else."""

    def put(tree: dict[str, object]) -> None:
        tree["facts"] = list(found.request.facts)
        tree["context"] = found.context.to_json()
        tree["grants"] = [json.loads(found.grant_envelope)]

    return changed(small()[1], put)
