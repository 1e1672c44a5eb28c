"""What the verifier expects of a bundle: said by the verifier, never taken from the bundle.

Either the request file that it made itself, or an audience with the nonce that it gave. There is
no third way and no default: a bundle that only fits what it says of itself was perhaps made for
somebody else. An asset can be demanded on top; of several documents, one must be about it.

SPEC.md, "Verification procedure", step 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from proofs.errors import ContextError, PolicyError
from proofs.ids import check_asset, check_digest, check_shown
from proofs.request import Request


@dataclass(frozen=True, slots=True)
class Expectation:
    """Made by `for_request` or `for_audience`; the constructor is not meant for callers."""

    request: Request | None
    audience: str
    nonce: str | None
    asset: str | None

    @classmethod
    def for_request(cls, data: bytes, *, asset: str | None = None) -> Expectation:
        """The bundle must answer exactly this request file.

        Raises:
            EncodingError: the bytes are no request.
            PolicyError: an asset is demanded that the request does not ask about.
        """
        request = Request.parse(data)
        if asset is not None and asset not in _assets(request):
            raise PolicyError(f"the request is about {_list(request)}, not {asset}")
        return cls(request, request.audience, request.nonce, asset)

    @classmethod
    def for_audience(
        cls, audience: str, *, nonce: str | None, asset: str | None = None
    ) -> Expectation:
        """The bundle must be for this audience, and carry this nonce, or none if it is None.

        Raises:
            EncodingError: a text that no bundle can carry.
        """
        check_shown(audience, where="audience")
        if nonce is not None:
            check_digest(nonce, where="nonce")
        if asset is not None:
            check_asset(asset, where="asset")
        return cls(None, audience, nonce, asset)

    def check(self, answered: Request) -> None:
        """Compare with the request that a bundle says it answers.

        Raises:
            ContextError: another audience, nonce, purpose, asset, schema, list of facts, or any
                other difference from the verifier's own request.
        """
        if answered.audience != self.audience:
            raise ContextError(f"made for {answered.audience}, not for {self.audience}")
        if answered.nonce is not None and self.nonce is None:
            raise ContextError("carries a nonce: give the one that you sent, with --nonce")
        if answered.nonce != self.nonce:
            raise ContextError("carries another nonce than yours: it answers another request")
        if self.asset is not None and self.asset not in _assets(answered):
            raise ContextError(f"about asset {_list(answered)}, not {self.asset}")
        if self.request is not None:
            _check_equal(answered, self.request)


def _check_equal(answered: Request, wanted: Request) -> None:
    # The digest at the end decides; the comparisons before it only say what differs.
    if answered.purpose != wanted.purpose:
        raise ContextError(f"made for the purpose {answered.purpose}, not {wanted.purpose}")
    if _named(answered, "asset") != _named(wanted, "asset"):
        raise ContextError(f"about asset {_list(answered)}, you asked about {_list(wanted)}")
    if _named(answered, "schema") != _named(wanted, "schema"):
        schemas = ", ".join(each.schema for each in answered.documents[:3])
        raise ContextError(f"made under schema {schemas}, not the one you asked")
    if answered.facts != wanted.facts:
        raise ContextError("proves other facts than you asked")
    if answered.digest != wanted.digest:
        raise ContextError("answers another request than yours")


def _assets(request: Request) -> list[str]:
    return [each.asset for each in request.documents]


def _named(request: Request, field: str) -> dict[str, str]:
    return {each.alias: getattr(each, field) for each in request.documents}


def _list(request: Request) -> str:
    assets = _assets(request)
    more = f" and {len(assets) - 5} more" if len(assets) > 5 else ""
    return ", ".join(assets[:5]) + more
