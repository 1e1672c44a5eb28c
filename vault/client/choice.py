"""Which of a custodian's documents a selection is: terms that a person types, applied to a list.

`all`; `asset=cn-pv-*`; `as_of=2026-01-01..2026-06-30`; `spv=Harbour` or any other public attribute;
or a list of asset ids. Several terms must all hold, several of one name are alternatives. Of an
asset the document that was attested last counts. Nothing is fetched here and nothing is signed; it
refuses terms about what is not public, and two documents of one asset of which none is the later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from proofs.ids import check_asset
from proofs.schema import AttributeClass, Schema
from proofs.selection import MAX_LISTED
from proofs.values import Value, read_value
from vault.client.attestations import OwnAttestation
from vault.errors import ExhaustedError, InvalidInputError, NotFoundError

ALL = "all"
_DAYS = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.\.([0-9]{4}-[0-9]{2}-[0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class Choice:
    """Terms as read. Empty tuples restrict nothing.

    `assets` are ids, or beginnings of ids with `*` at their end; `listed` the ids of a list, None
    without one; `equal` the values that each public attribute may have.
    """

    schema: Schema
    assets: tuple[str, ...] = ()
    days: tuple[tuple[date, date], ...] = ()
    equal: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    listed: frozenset[str] | None = None

    @classmethod
    def parse(
        cls, terms: Sequence[str], schema: Schema, *, listed: Sequence[str] | None = None
    ) -> Choice:
        """Read terms; InvalidInputError or SchemaError says which is wrong.

        Args:
            listed: the assets of a list that a person or a request names.
        """
        assets: list[str] = []
        days: list[tuple[date, date]] = []
        equal: dict[str, list[Value]] = {}
        for term in terms:
            name, equals, text = term.partition("=")
            if term == ALL:
                continue
            if not equals or not text:
                raise InvalidInputError(
                    f"cannot read {term[:80]!a}: a selection is `{ALL}`, `asset=cn-pv-*`, "
                    f"`as_of=2026-01-01..2026-06-30`, a public attribute as in `spv=NAME`, or "
                    f"`@FILE` with one asset id a line"
                )
            if name == "asset":
                assets.append(_pattern(text))
            elif name == "as_of":
                days.append(_interval(text))
            else:
                equal.setdefault(name, []).append(_value(schema, name, text))
        return cls(
            schema=schema,
            assets=tuple(assets),
            days=tuple(days),
            equal=tuple((name, tuple(values)) for name, values in equal.items()),
            listed=None if listed is None else frozenset(listed),
        )

    @property
    def opened(self) -> list[str]:
        """Names of the public attributes that must be known of each document."""
        return [name for name, _ in self.equal]

    def pick(self, documents: Sequence[OwnAttestation], *, now: datetime) -> list[OwnAttestation]:
        """Those of the documents that are meant, in the order of their ids.

        Raises:
            NotFoundError: none is, or one of the listed assets has none; with their names.
            InvalidInputError: two documents of one asset were attested at the same time.
            ExhaustedError: more than a selection can have.
        """
        current = [each for each in documents if each.attestation.valid_until > now]
        newest = newest_by_asset(filter(self._in_time, current), self.listed)
        picked = [each for each in newest if self._meant(each)]
        if self.listed is not None:
            missing = sorted(self.listed - {each.attestation.asset for each in picked})
            if missing:
                raise NotFoundError(
                    f"no unexpired document of yours that is meant is about {_some(missing)}"
                )
        if not picked:
            raise NotFoundError("no unexpired document of yours is meant by this selection")
        if len(picked) > MAX_LISTED:
            raise ExhaustedError(f"a selection has at most {MAX_LISTED} documents")
        return sorted(picked, key=lambda each: each.attestation.document)

    def _in_time(self, document: OwnAttestation) -> bool:
        spoken = document.attestation.as_of
        return not self.days or any(
            first <= spoken.first and spoken.last <= last for first, last in self.days
        )

    def _meant(self, document: OwnAttestation) -> bool:
        asset = document.attestation.asset
        if self.listed is not None and asset not in self.listed:
            return False
        if self.assets and not any(_matches(asset, pattern) for pattern in self.assets):
            return False
        return all(document.public.get(name) in values for name, values in self.equal)


def newest_by_asset(
    documents: Iterable[OwnAttestation], wanted: frozenset[str] | None = None
) -> list[OwnAttestation]:
    """Of each asset the document that was attested last: an older one is about what was.

    Raises:
        InvalidInputError: two of one asset (of those wanted, if given) at the same time.
    """
    newest: dict[str, OwnAttestation] = {}
    tied: set[str] = set()
    for each in documents:
        asset, moment = each.attestation.asset, each.attestation.attested_at
        before = newest.get(asset)
        if before is not None and before.attestation.attested_at > moment:
            continue
        if before is not None and before.attestation.attested_at == moment:
            tied.add(asset)
            continue
        tied.discard(asset)
        newest[asset] = each
    unclear = sorted(tied if wanted is None else tied & wanted)
    if unclear:
        raise InvalidInputError(
            f"two documents about {_some(unclear)} were attested at the same time: none is the "
            f"newest; put a new version of the right one"
        )
    return list(newest.values())


def _pattern(text: str) -> str:
    beginning = text.removesuffix("*")
    if beginning:
        check_asset(beginning, where="asset")
    return text


def _matches(asset: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return asset.startswith(pattern[:-1])
    return asset == pattern


def _interval(text: str) -> tuple[date, date]:
    matched = _DAYS.fullmatch(text)
    try:
        if matched is None:
            raise ValueError
        first = date.fromisoformat(matched[1])
        last = date.fromisoformat(matched[2] or matched[1])
        if first > last:
            raise ValueError
    except ValueError:
        raise InvalidInputError(
            f"as_of: {text[:40]!a} is not a day, nor an interval as 2026-01-01..2026-06-30"
        ) from None
    return first, last


def _value(schema: Schema, name: str, text: str) -> Value:
    for attribute in schema.attributes:
        if attribute.name != name:
            continue
        if attribute.attribute_class is not AttributeClass.PUBLIC:
            raise InvalidInputError(
                f"{name} is {attribute.attribute_class}: documents are chosen by public attributes"
            )
        return read_value(attribute, text)
    public = [
        each.name for each in schema.attributes if each.attribute_class is AttributeClass.PUBLIC
    ]
    raise InvalidInputError(
        f"schema {schema.name} has no attribute {name[:64]!a}; its public ones are: "
        f"{', '.join(public) or 'none'}"
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more} more" if more > 0 else "")
