"""Asks both verifiers about one bundle, in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from independent.second_verifier.procedure import verify
from independent.second_verifier.refusal import Refused

from proofs.canonical import parse_instant
from proofs.errors import CrossproofError, SchemaError
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import verify_bundle

named_set = lru_cache(maxsize=64)(NamedSet.parse)


def first(
    bundle: bytes,
    *,
    trust: bytes,
    sets: Sequence[bytes],
    now: str,
    request: bytes | None = None,
    audience: str | None = None,
    nonce: str | None = None,
) -> str:
    """`Verified`, or the class that the project's verifier names (of schemas too: ENCODING)."""
    try:
        verify_bundle(
            bundle,
            trust=Trust.parse(trust),
            expectation=Expectation.for_audience(audience or "", nonce=nonce)
            if request is None
            else Expectation.for_request(request),
            sets=[named_set(each) for each in sets],
            now=parse_instant(now),
        )
    except SchemaError:
        return "EncodingError"
    except CrossproofError as error:
        return type(error).__name__
    return "Verified"


def second(
    bundle: bytes,
    *,
    trust: bytes,
    sets: Sequence[bytes],
    now: str,
    request: bytes | None = None,
    audience: str | None = None,
    nonce: str | None = None,
) -> str:
    """`Verified`, or the class that the second verifier names."""
    try:
        verify(
            bundle,
            trust=trust,
            now=now,
            sets=sets,
            request=request,
            audience=audience,
            nonce=nonce,
        )
    except Refused as refusal:
        return f"{refusal.kind.capitalize()}Error"
    return "Verified"
