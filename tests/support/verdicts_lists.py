"""Cases about selections of documents and manifests, for checks that no vector reaches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from proofs import canonical, list_statement
from proofs.attestation import Attestation
from proofs.bundle import Bundle
from proofs.canonical import Fields, sha256_label
from proofs.facts import FactList
from proofs.labels import MANIFEST_ROWS
from proofs.list_classes import check_list_facts, check_list_without_documents
from proofs.list_statement import bound_commitments_of, compile_list
from proofs.listing import Listing, Row
from proofs.manifest import Manifest, ManifestFile, pack_rows, unpack_rows
from proofs.policy import Expectation
from proofs.schema import Schema
from proofs.selection import Selection, read_period
from proofs.statement import LiteralSet, Membership, RangeTerm, Statement, SumTerm
from proofs.verify_many import verify_many
from support import books, bundles
from support.bent_lists import bent, granted
from support.bundles import AUDIENCE, DAY, NOW, named_set, schema
from support.checks import changed, pinning, text
from support.portfolio import (
    PERIOD,
    SPV,
    Portfolio,
    holding,
    holdings,
    manifest_file,
    portfolio,
)

Named = tuple[str, Callable[[], object]]
DIGEST = schema().digest


def payloads() -> dict[str, tuple[bytes, Callable[[bytes], object]]]:
    """Payloads to be changed field by field, with their readers."""
    file = ManifestFile.parse(manifest_file(holdings(3), ("capacity", "owner")))
    chosen = [Selection(DIGEST, assets=("a", "b")), Selection(DIGEST, spv=SPV, period=PERIOD)]
    found: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
        "manifest": (
            file.envelope.unverified_payload,
            lambda data: Manifest.parse(data).listing(file.rows, schema()),
        ),
        "manifest file": (file.encode(), ManifestFile.parse),
        "grant of a selection": (
            json_of(portfolio(2).grant),
            bundles.Grant.parse,
        ),
    }
    for number, each in enumerate(chosen):
        found[f"selection {number}"] = (
            canonical.dump(each.to_json()),
            lambda data: Selection.read(Fields(json.loads(data), "selection")),
        )
    tree = json.loads(portfolio(2).build())
    found["bundle of a selection"] = (
        canonical.dump(tree["selection"]),
        lambda data: Bundle.parse(canonical.dump(tree | {"selection": json.loads(data)})),
    )
    return found


def json_of(signed: bytes) -> bytes:
    """The payload of an envelope."""
    return bundles.Envelope.parse(signed).unverified_payload


def cases() -> Iterator[Named]:
    """Names and what is run."""
    yield from _lists()
    yield from _manifests()
    yield from _selections()
    yield from _facts()


def _lists() -> Iterator[Named]:
    found = portfolio(3)
    yield (
        "a list by an expired key",
        lambda: found.verify(found.build(), pinning({"valid_until": text(NOW)})),
    )
    other = json.loads(books.book().encode())
    yield (
        "a list with two schemas",
        lambda: found.verify(
            changed(
                found.build(),
                lambda tree: tree.update(
                    schemas=[
                        json.loads(each)
                        for each in sorted(
                            (schema().encode(), canonical.dump(other)), key=bundles.digest_of
                        )
                    ]
                ),
            )
        ),
    )
    short = holding(3, commitments=holding(3).witness.commitments()[:6])
    yield (
        "a list of fewer attributes",
        lambda: Listing.of([each.attestation for each in (*holdings(2), short)], schema()),
    )
    yield "a list of nothing", lambda: Listing.of([], schema())
    alien = holding(3, schema="00" * 32)
    yield (
        "a list of two schemas",
        lambda: Listing.of([each.attestation for each in (*holdings(2), alien)], schema()),
    )
    data = portfolio(3, facts=("each fuel in {SOLAR, WIND}",))
    false = changed(data.build(), _spoil)

    def together() -> None:
        outcomes = verify_many(
            [data.build(), false],
            trust=bundles.trust(),
            expectation=Expectation.for_audience(AUDIENCE, nonce="5a" * 32),
            sets=bundles.sets(),
            now=NOW,
        )
        for each in outcomes:
            if isinstance(each, Exception):
                raise each

    yield "a false bundle among others", together
    backwards = granted(list(holdings(3))[::-1])
    yield "a list in another order", lambda: backwards.verify(backwards.forge())


def _spoil(tree: Any) -> None:
    proof = bytearray(canonical.decode_base64(tree["proof"], limit=1 << 20, where="proof"))
    proof[-1] ^= 1
    tree["proof"] = canonical.encode_base64(bytes(proof))


def _manifests() -> Iterator[Named]:
    file = ManifestFile.parse(manifest_file(holdings(3), ("capacity", "owner")))
    payload = json.loads(file.envelope.unverified_payload)

    def listing(packed: bytes, about: Schema | None = None, **fields: object) -> Listing:
        digest = sha256_label(MANIFEST_ROWS, packed).hex()
        data = canonical.dump(payload | {"rows": digest} | fields)
        return Manifest.parse(data).listing(packed, about or schema())

    over = portfolio(3, manifest=file.encode())
    yield (
        "a manifest of a time before its key",
        lambda: over.verify(over.forge(), pinning({"valid_from": text(NOW - DAY / 2)})),
    )
    for name, fields in (
        ("attributes twice", {"attributes": ["owner", "owner"]}),
        ("attributes exchanged", {"attributes": ["owner", "capacity"]}),
        ("no attributes", {"attributes": []}),
        ("attributes that there are not", {"attributes": ["height"]}),
        (
            "attested backwards",
            {"attested": {"first": text(NOW - DAY), "last": text(NOW - 2 * DAY)}},
        ),
        ("an end before it was signed", {"valid_until": text(NOW - 9 * DAY)}),
        ("a signature before the last", {"signed_at": text(NOW - 9 * DAY)}),
        ("another format", {"format": "crossvault/portfolio/v2"}),
        ("an SPV that hides", {"spv": "a\u200b"}),
        ("a field more", {"zz": "1"}),
        ("a day more", {"as_of": payload["as_of"] | {"zz": "1"}}),
        ("an instant more", {"attested": payload["attested"] | {"zz": "1"}}),
    ):
        yield f"a manifest with {name}", lambda fields=fields: listing(file.rows, **fields)
    yield "a manifest about another schema", lambda: listing(file.rows, books.book())
    for names in ([], ["capacity", "capacity"], ["height"]):
        yield f"a manifest made of {names}", lambda names=names: manifest_file(holdings(2), names)
    yield "rows cut off", lambda: listing(file.rows[:-1])
    yield "rows extended", lambda: listing(file.rows + b"\0")
    size = 1 + len("cn-pv-00001") + 16
    yield (
        "a row of version zero",
        lambda: listing(file.rows[:size] + bytes(4) + file.rows[size + 4 :]),
    )
    yield (
        "a row with a column more",
        lambda: listing(
            file.rows[: size + 4] + bytes([file.rows[size + 4] | 1]) + file.rows[size + 5 :]
        ),
    )
    yield "a row about no asset", lambda: listing(file.rows[:1] + b"CN PV" + file.rows[6:])
    bare = [Row(each.document, 1, each.asset, (None, None)) for each in listing(file.rows).rows]
    yield "a row without what must be there", lambda: listing(pack_rows(bare))
    yield "rows of no columns", lambda: unpack_rows(file.rows, count=1, columns=0)
    yield "a manifest in another order", lambda: _bent(lambda rows: rows.reverse())
    yield "a manifest of nothing", lambda: listing(b"", count=1)
    for name, change in (
        ("a manifest file of another format", {"format": "x"}),
        ("a manifest file with a field more", {"zz": "1"}),
    ):
        yield (
            name,
            lambda change=change: ManifestFile.parse(
                canonical.dump(json.loads(file.encode()) | change)
            ),
        )
    found = portfolio(2, manifest=manifest_file(holdings(2), ("owner",)))
    yield "a manifest without the attribute", lambda: found.verify(found.forge())


def _bent(change: Callable[[list[Row]], None]) -> None:
    found = portfolio(3, manifest=bent(manifest_file(holdings(3)), change, sign=True))
    found.verify(found.forge())


def _selections() -> Iterator[Named]:
    backwards = (date(2026, 2, 1), date(2026, 1, 1))
    for name, fields in (
        ("no digest", {"schema": "x"}),
        ("an SPV alone", {"spv": SPV}),
        ("a period alone", {"period": PERIOD}),
        ("a hidden SPV", {"spv": "a\u200b", "period": PERIOD}),
        ("a period backwards", {"spv": SPV, "period": backwards}),
        ("both", {"assets": ("a",), "spv": SPV, "period": PERIOD}),
        ("no assets", {"assets": ()}),
        ("assets backwards", {"assets": ("b", "a")}),
        ("assets twice", {"assets": ("a", "a")}),
        ("an asset that is none", {"assets": ("a b",)}),
        ("too many assets", {"assets": tuple(f"a{n:05}" for n in range(16_385))}),
    ):
        values: dict[str, Any] = {"schema": DIGEST} | fields
        yield f"a selection with {name}", lambda values=values: Selection(**values)
    days = {"from": "2026-02-01", "to": "2026-01-01"}
    yield "a period read backwards", lambda: read_period(Fields(days, "period"))
    yield (
        "a period with a field more",
        lambda: read_period(
            Fields({"from": "2026-01-01", "to": "2026-02-01", "zz": "1"}, "period")
        ),
    )


def _facts() -> Iterator[Named]:
    def proving(*facts: str) -> bytes:
        used = tuple(each for each in bundles.sets() if f"@{each.name}" in " ".join(facts))
        return portfolio(3, facts=facts, used=used).build()

    yield "proving a false count", lambda: proving("count() >= 9", "sum(capacity) >= 1 MW")
    yield "proving past an absence", lambda: proving("each owner not in @sanctions")
    hidden = portfolio(3, facts=("each owner not in @sanctions",), used=(named_set(),))
    some = ("each owner not in @sanctions where present",)
    yield (
        "an absence hidden",
        lambda: hidden.verify(
            changed(hidden.forge(facts=some), lambda tree: tree.update(facts=list(hidden.facts)))
        ),
    )
    other = portfolio(3)
    yield (
        "a schema over a list that nobody attested",
        lambda: other.verify(changed(other.build(), lambda tree: tree.update(schemas=[{}]))),
    )
    unused = portfolio(3, used=(named_set(),))
    yield "a set that no fact over a list is about", lambda: unused.verify(unused.forge())
    nobody = tuple(holding(number, values={}) for number in (1, 5))
    alone = Portfolio(
        nobody, ("each phone not in @fuels where present",), used=(named_set("fuels"),)
    )
    yield "a fact about none", lambda: alone.build()
    yield "count() where present", lambda: FactList.over(("count() >= 3 where present",), schema())
    yield "a shown value of each", lambda: proving("each capacity in 41..41 MW")
    listing = Listing.of([each.attestation for each in holdings(2)], schema())
    yield "nothing in a slot", lambda: bound_commitments_of(listing, [64 + 5, 128])
    yield (
        "what is absent in a slot",
        lambda: bound_commitments_of(Listing.of([holding(1).attestation], schema()), [5]),
    )
    count = FactList.over(("count() >= 1",), schema())
    yield (
        "a count about each",
        lambda: list(list_statement._each([(0, each, [0]) for each in count], schema(), 1, {})),
    )
    term = SumTerm(0, ((1, (0,)),), 0)
    yield "a sum about each", lambda: list_statement._moved(term, 1)
    used = {each.name: each for each in bundles.sets()}
    texts = ("each capacity in 41..41 MW", "each fuel in @fuels")
    yield (
        "asking for a shown value",
        lambda: check_list_without_documents(FactList.over(texts, schema()), schema(), used),
    )
    yield (
        "asking for a shown value without sets",
        lambda: check_list_without_documents(FactList.over(texts, schema()), schema()),
    )
    yield (
        "a personal sum",
        lambda: check_list_without_documents(
            FactList.over(("sum(age) >= 50",), books.book()), books.book()
        ),
    )
    two = Listing.of(
        [Attestation.parse(books.attestation(each)) for each in ("a", "b")], books.book()
    )

    def over_books(*facts: str) -> None:
        found = FactList.over(facts, books.book())
        check_list_facts(found, books.book(), {}, two)
        compile_list(found, books.book(), two, {})

    yield (
        "a sum that nothing meets",
        lambda: over_books("sum(debt) >= 10000000 CNY", "sum(debt) <= 1 CNY"),
    )
    yield "a pinned sum", lambda: over_books("sum(debt) >= 5 CNY", "sum(debt) <= 5 CNY")
    yield (
        "a pinned difference of sums",
        lambda: over_books(
            "sum(price) - sum(last_price) >= 1 CNY", "sum(price) - sum(last_price) <= 1 CNY"
        ),
    )
    yield (
        "a list's gap, through a sum",
        lambda: over_books("each price in {1, 2} CNY", "sum(price) >= 3.5 CNY"),
    )
    yield (
        "a difference of sums that nothing is left of",
        lambda: over_books(
            "sum(debt) <= 50 CNY",
            "sum(debt) * 2 - sum(reserve) >= 100 CNY at 1 CNY/HKD (x, 2026-01-01) where present",
        ),
    )
    yield "a count alone", lambda: over_books("count() >= 1")
    ranges = Statement((RangeTerm(0, 0, 1, 0),) * 264, 62)
    yield "too many digits over a list", lambda: list_statement._bounded([ranges] * 1026)
    literal = LiteralSet((), (bytes(32),) * 1000, b"")
    written = Statement((Membership(0, 0, True, literal),) * 64, 0)
    yield "too long a statement over a list", lambda: list_statement._bounded([written] * 53)
    named = named_set("fuels", version=4)
    yield (
        "a set that is not at hand",
        lambda: Portfolio(
            holdings(2), ("each fuel in @fuels",), used=(replace(named, members=()),)
        ).build(),
    )
