"""Step 7 of the verification: the named sets that facts are about, as the trust file means them.

A set is believed when the authority that the trust file pins for its name signed it, it is valid
now and not older than the trust file asks for. It reads no file: sets come in, read.

SPEC.md, "Verification procedure".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from proofs.bundle import Bundle
from proofs.envelope import Envelope, PayloadType
from proofs.errors import SetError
from proofs.named_set import NamedSet
from proofs.trust import Trust, TrustedAuthority
from proofs.validity import check_key, check_signed_within, in_the_future, say


@dataclass(frozen=True, slots=True)
class VerifiedSet:
    """A named set that facts were proven about."""

    named: NamedSet
    authority: TrustedAuthority


def check_sets(
    bundle: Bundle, trust: Trust, sets: Sequence[NamedSet], now: datetime
) -> tuple[VerifiedSet, ...]:
    """The sets of a bundle, each pinned, at hand in full, and outliving the bundle."""
    found: list[VerifiedSet] = []
    for reference in bundle.sets:
        if reference.authority != trust.set(reference.name).authority:
            raise SetError(f"@{reference.name}: signed by another authority than the pinned one")
        named = _choose(reference.name, reference.digest, sets)
        authority = check_named_set(named, trust, now)
        if bundle.context.expires > named.header.valid_until:
            raise SetError(f"@{reference.name}: the bundle outlives it")
        found.append(VerifiedSet(named, authority))
    return tuple(found)


def check_named_set(named: NamedSet, trust: Trust, now: datetime) -> TrustedAuthority:
    """That a set is the one that its name means, now; gives the authority that signed it.

    Raises:
        TrustError: the name or the key is not pinned, or the key is not valid now or was not at
            issue.
        SignatureError: another key's signature, or none that holds.
        SetError: from the future, expired, or older than the trust file asks for.
    """
    pinned = trust.set(named.name)
    authority = trust.authority(pinned.authority)
    check_key(authority, now)
    _check_signature(named.envelope, authority.key)
    header = named.header
    if in_the_future(header.issued, now):
        raise SetError(f"@{named.name}: issued in the future")
    if header.valid_until <= now:
        raise SetError(f"@{named.name}: expired at {say(header.valid_until)}")
    check_signed_within(authority, header.issued, f"set @{named.name}")
    if header.version < pinned.least_version:
        raise SetError(
            f"@{named.name}: version {header.version}, "
            f"the trust file asks for {pinned.least_version} at least"
        )
    return authority


@lru_cache(maxsize=64)  # one set stands behind many bundles; a refusal is not remembered
def _check_signature(signed: Envelope, key: bytes) -> None:
    signed.verify(key, PayloadType.SET)


def set_at_hand(name: str, trust: Trust, sets: Sequence[NamedSet], now: datetime) -> NamedSet:
    """The latest set of this name that the verifier holds: what a fact means that it requires."""
    held = [each for each in sets if each.name == name]
    if not held:
        raise SetError(f"@{name}: give its file with --set")
    found = max(held, key=lambda each: each.header.version)
    check_named_set(found, trust, now)
    return found


def _choose(name: str, digest: str, sets: Sequence[NamedSet]) -> NamedSet:
    at_hand = [each for each in sets if each.name == name]
    if not at_hand:
        raise SetError(f"@{name}: give its file with --set")
    same = [each for each in at_hand if each.header.digest == digest]
    if not same:
        raise SetError(f"@{name}: proven about another version than the file given with --set")
    # The same members may have been signed again with a later end.
    return max(same, key=lambda each: each.header.version)
