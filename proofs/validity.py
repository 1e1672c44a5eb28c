"""When a signer's key and what it signed are valid, by the verifier's clock.

Beginnings are checked with five minutes' grace for clocks that differ, ends without.

SPEC.md, "Verification procedure".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from proofs.errors import TrustError
from proofs.trust import Signer

CLOCK_SKEW: Final = timedelta(minutes=5)


def in_the_future(instant: datetime, now: datetime) -> bool:
    """Whether an instant is past `now` by more than clocks differ."""
    return instant - CLOCK_SKEW > now


def check_key(signer: Signer, now: datetime) -> None:
    """TrustError unless the signer's key is valid now."""
    if in_the_future(signer.valid_from, now):
        raise TrustError(f"{signer.name_en}: its key is not valid before {say(signer.valid_from)}")
    if signer.valid_until <= now:
        raise TrustError(f"{signer.name_en}: its key expired at {say(signer.valid_until)}")


def check_signed_within(signer: Signer, instant: datetime, what: str) -> None:
    """TrustError unless the key was valid when it signed."""
    if not signer.valid_from <= instant < signer.valid_until:
        raise TrustError(f"{signer.name_en}: its key was not valid when it signed the {what}")


def say(instant: datetime) -> str:
    """An instant as messages have it."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
