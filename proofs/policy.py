"""What the verifier expects of a bundle: said by the verifier, never taken from the bundle.

Either request files that it made itself, or an audience with the nonce that it gave. There is no
third way and no default: a bundle that only fits what it says of itself was perhaps made for
somebody else. Assets can be demanded on top, and facts that must follow about each of them.
Several requests are for several bundles: each bundle answers exactly one, found by its digest.

SPEC.md, "Verification procedure", step 6, and "What a verifier may require".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from proofs.errors import ContextError, PolicyError
from proofs.ids import check_asset, check_digest, check_shown
from proofs.request import Request
from proofs.requirements import Required


@dataclass(frozen=True, slots=True)
class Expectation:
    """Made by `for_request`, `for_requests` or `for_audience`; the constructor is not for callers.

    `requests` are by their digests; empty, `audience` and `nonce` say what is expected. A bundle
    must be about every one of `assets`, or with `every_asset` False about one of them at least
    (then whoever verifies several bundles sees to it that none of the assets is left out).
    """

    requests: Mapping[str, Request]
    audience: str
    nonce: str | None
    assets: tuple[str, ...]
    every_asset: bool
    required: Required

    @classmethod
    def for_request(
        cls, data: bytes, *, assets: Sequence[str] = (), required: Sequence[str] = ()
    ) -> Expectation:
        """The bundle must answer exactly this request file.

        Raises:
            EncodingError: the bytes are no request.
            PolicyError: an asset is demanded that the request does not ask about, or facts are
                required of no asset.
        """
        return cls.for_requests([Request.parse(data)], assets=assets, required=required)

    @classmethod
    def for_requests(
        cls,
        requests: Iterable[Request],
        *,
        assets: Sequence[str] = (),
        required: Sequence[str] = (),
        every_asset: bool = True,
    ) -> Expectation:
        """Each bundle must answer exactly one of these requests; PolicyError as `for_request`."""
        named = list(requests)
        if not named:
            raise PolicyError("no request to compare with")
        for asset in assets:
            # Which assets an answer about a selection has is for whoever answers to choose.
            if not any(each.selection or asset in _assets(each) for each in named):
                about = ", ".join(map(_list, named[:3]))
                raise PolicyError(f"the request is about {about}, not {asset}")
        return cls(
            {each.digest: each for each in named},
            named[0].audience,
            named[0].nonce,
            tuple(assets),
            every_asset,
            Required.of(required, assets),
        )

    @classmethod
    def for_audience(
        cls,
        audience: str,
        *,
        nonce: str | None,
        assets: Sequence[str] = (),
        required: Sequence[str] = (),
        every_asset: bool = True,
    ) -> Expectation:
        """The bundle must be for this audience, and carry this nonce, or none if it is None.

        Raises:
            EncodingError: a text that no bundle can carry.
            PolicyError: facts are required of no asset.
        """
        check_shown(audience, where="audience")
        if nonce is not None:
            check_digest(nonce, where="nonce")
        for asset in assets:
            check_asset(asset, where="asset")
        return cls({}, audience, nonce, tuple(assets), every_asset, Required.of(required, assets))

    def check(self, answered: Request, assets: Collection[str]) -> None:
        """Compare with the request that a bundle says it answers, and the assets it is about.

        Raises:
            ContextError: another audience, nonce, purpose, asset, schema, list of facts, or any
                other difference from the verifier's own request.
        """
        wanted = self.requests.get(answered.digest)
        if wanted is None and len(self.requests) > 1:
            raise ContextError(f"answers none of the {len(self.requests)} requests that you gave")
        if wanted is None:
            self._check_audience(answered)
        self._check_assets(assets)
        if wanted is None and self.requests:
            (wanted,) = self.requests.values()
            _say_difference(answered, wanted)

    def _check_audience(self, answered: Request) -> None:
        if answered.audience != self.audience:
            raise ContextError(f"made for {answered.audience}, not for {self.audience}")
        if answered.nonce is not None and self.nonce is None:
            raise ContextError("carries a nonce: give the one that you sent, with --nonce")
        if answered.nonce != self.nonce:
            raise ContextError("carries another nonce than yours: it answers another request")

    def _check_assets(self, assets: Collection[str]) -> None:
        missing = [each for each in self.assets if each not in assets]
        if missing and (self.every_asset or len(missing) == len(self.assets)):
            raise ContextError(f"about asset {_names(assets)}, not {_names(missing)}")


def _say_difference(answered: Request, wanted: Request) -> None:
    """Their digests differ, and so it is refused; this says in what."""
    if answered.purpose != wanted.purpose:
        raise ContextError(f"made for the purpose {answered.purpose}, not {wanted.purpose}")
    if _named(answered, "asset") != _named(wanted, "asset"):
        raise ContextError(f"about asset {_list(answered)}, you asked about {_list(wanted)}")
    if _named(answered, "schema") != _named(wanted, "schema"):
        schemas = ", ".join(each.schema for each in answered.documents[:3])
        raise ContextError(f"made under schema {schemas}, not the one you asked")
    if answered.facts != wanted.facts:
        raise ContextError("proves other facts than you asked")
    raise ContextError("answers another request than yours")


def _assets(request: Request) -> list[str]:
    return [each.asset for each in request.documents]


def _named(request: Request, field: str) -> dict[str, str]:
    return {each.alias: getattr(each, field) for each in request.documents}


def _list(request: Request) -> str:
    return _names(_assets(request)) or "a selection"


def _names(assets: Collection[str]) -> str:
    more = f" and {len(assets) - 5} more" if len(assets) > 5 else ""
    return ", ".join(list(assets)[:5]) + more
