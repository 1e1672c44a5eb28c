"""A selection: what list of documents a request is about, where it is not about documents by alias.

All of them follow one schema and are one custodian's. Who chooses the list is part of what is
asked: the asker, who names every asset; a manifest that the custodian signed for an SPV and a
period; or else nobody but the prover, and then the verdict says so. It reads and writes the
request's part and decides nothing.

SPEC.md, "Selections".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from proofs.attestation import read_day
from proofs.canonical import Fields, Json
from proofs.errors import EncodingError
from proofs.ids import check_asset, check_digest, check_shown

MAX_LISTED = 1 << 14
"""Documents of one selection: what one bundle of 32 MiB can carry the attestations of."""

Period = tuple[date, date]
"""First and last day."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The documents of one schema (its digest) that a request is about.

    `assets`, in order and each once, where the asker names them all. `spv` and `period` where a
    manifest for exactly these must name the list. With neither, the prover chooses.
    """

    schema: str
    assets: tuple[str, ...] | None = None
    spv: str | None = None
    period: Period | None = None

    def __post_init__(self) -> None:
        check_digest(self.schema, where="selection.schema")
        if (self.spv is None) != (self.period is None):
            raise EncodingError("selection: an SPV has a period, and a period an SPV")
        if self.spv is not None:
            check_shown(self.spv, where="selection.spv")
        if self.period is not None and self.period[0] > self.period[1]:
            raise EncodingError("selection.period: ends before it begins")
        if self.assets is not None:
            if self.spv is not None:
                raise EncodingError("selection: assets are named, or an SPV, not both")
            check_listed(self.assets, where="selection.assets")

    @property
    def chosen_by(self) -> str:
        """Who determines the list: `request`, `manifest` or `prover`."""
        if self.assets is not None:
            return "request"
        return "prover" if self.spv is None else "manifest"

    def to_json(self) -> dict[str, Json]:
        """The object that stands in a request, and without the assets in a bundle."""
        encoded: dict[str, Json] = {"schema": self.schema}
        if self.assets is not None:
            encoded["assets"] = list(self.assets)
        if self.spv is not None and self.period is not None:
            encoded["spv"] = self.spv
            encoded["period"] = write_period(self.period)
        return encoded

    @classmethod
    def read(cls, fields: Fields) -> Selection:
        """Read and close an object of these fields; EncodingError for anything else."""
        assets = (
            tuple(fields.texts("assets", MAX_LISTED, 128, least=1))
            if fields.has("assets")
            else None
        )
        selection = cls(
            schema=fields.hex("schema", 32),
            assets=assets,
            spv=fields.optional_text("spv", 500),
            period=read_period(fields.object("period")) if fields.has("period") else None,
        )
        fields.end()
        return selection


def check_listed(assets: Sequence[str], *, where: str) -> None:
    """EncodingError unless these are 1 to 16,384 asset ids in order, each once."""
    if not 1 <= len(assets) <= MAX_LISTED:
        raise EncodingError(f"{where}: {len(assets)} assets; must be 1 to {MAX_LISTED}")
    for each in assets:
        check_asset(each, where=where)
    # Twice in the list, an asset would count twice in a sum.
    if any(not before < after for before, after in pairwise(assets)):
        raise EncodingError(f"{where}: not in order, each once")


def write_period(period: Period) -> dict[str, Json]:
    """The object of a first and a last day."""
    first, last = period
    return {"from": first.isoformat(), "to": last.isoformat()}


def read_period(fields: Fields) -> Period:
    """A first and a last day, in order."""
    period = read_day(fields, "from"), read_day(fields, "to")
    fields.end()
    if period[0] > period[1]:
        raise EncodingError(f"{fields.where}: ends before it begins")
    return period
