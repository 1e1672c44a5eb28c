"""Where the next page of a list begins, in a form that tells nobody anything.

Rows are counted over all principals. A row's number in the open would tell each of them how much
the others did between two of its own acts: how many requests were handed in, how many proofs a
custodian made. So a number leaves encrypted, for this caller, this list and this process alone.
"""

from __future__ import annotations

from proofs.principal import Principal
from vault.crypto.wrap import WrapKey
from vault.errors import IntegrityError, InvalidInputError

_ROW_BYTES = 8


class PageTokens:
    """The tokens of one list. They end with the process: a list that it cut off begins anew."""

    def __init__(self) -> None:
        self._key = WrapKey.generate()

    def write(self, caller: Principal, row: int | None) -> str:
        """The token of the page that begins after a row; empty for None, when there is none."""
        if row is None:
            return ""
        return self._key.wrap(row.to_bytes(_ROW_BYTES, "big"), *_place(caller)).hex()

    def read(self, caller: Principal, token: str) -> int | None:
        """The row, None for an empty token; InvalidInputError for one that no page gave."""
        if not token:
            return None
        try:
            row = self._key.unwrap(bytes.fromhex(token), *_place(caller))
        except (ValueError, IntegrityError):
            raise InvalidInputError(
                "not a page token of this list, or the service was started anew: begin again",
                field="page_token",
            ) from None
        return int.from_bytes(row, "big")


def _place(caller: Principal) -> tuple[bytes, ...]:
    return b"page", caller.uri.encode()
