"""The catalogue's questions about many documents at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import bundles

from proofs.schema import Schema
from proofs.witness import Witness
from vault.app.witnesses import Witnesses, wrap_witness
from vault.crypto.wrap import WrapKey
from vault.errors import IntegrityError
from vault.model import Receipt, StoredVersion
from vault.storage.catalog import Catalog, NewVersion
from vault.storage.database import open_database
from vault.storage.key_store import KeyStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BANK, TRUST = "spiffe://x/cn/custodian/bank", "spiffe://x/cn/custodian/trust"
PLANT = bundles.schema()
OTHER = Schema.parse(
    Schema.from_author(bundles.SCHEMA_TEXT.replace('"pv-plant"', '"pv-park"').encode())
)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    made = Catalog(open_database(tmp_path / "catalog.db", "catalog"))
    for each in (PLANT, OTHER):
        made.add_schema(each, each.encode(), by=BANK, now=NOW)
    return made


def version(
    document: int,
    number: int = 1,
    *,
    custodian: str = BANK,
    schema: Schema = PLANT,
    valid: timedelta = DAY,
    asset: str | None = None,
) -> StoredVersion:
    name = f"{document}.{number}"
    return StoredVersion(
        document=f"{document:032x}",
        version=number,
        custodian=custodian,
        asset=asset or f"a{document}",
        schema=schema.digest,
        attestation_digest=hashlib.sha256(name.encode()).hexdigest(),
        attestation=b"attestation",
        manifest_digest="0" * 64,
        key_manifest=b"manifest",
        asset_root=bytes(36),
        personal_root=None,
        personal_salt=None,
        witness=b"sealed",
        public={},
        provable=(),
        request_id=hashlib.sha256(name.encode()).hexdigest()[:32],
        valid_until=NOW + valid,
        commit_time=NOW,
    )


def fresh(each: StoredVersion) -> NewVersion:
    block = bytes.fromhex(each.attestation_digest) + bytes(4)
    return NewVersion(each, [Receipt("h1", 1, 1, b"receipt")], {"asset": [block]})


def commit(catalog: Catalog, *new: StoredVersion) -> None:
    for each in new:
        catalog.commit([fresh(each)])


def names(found: Sequence[StoredVersion]) -> list[tuple[int, int]]:
    return [(int(each.document, 16), each.version) for each in found]


def test_of_each_document_the_newest_version_that_is_valid(catalog: Catalog) -> None:
    """Of one schema and custodian, in the order of document ids, page by page."""
    commit(
        catalog,
        version(3),
        version(1, valid=timedelta(0)),
        version(2),
        version(2, 2),
        version(4),
        version(4, 2, valid=timedelta(0)),
        version(5, custodian=TRUST),
        version(6, schema=OTHER),
        version(7),
        version(7, 2, schema=OTHER),
    )

    def page(after: int = 0, limit: int = 9, who: str = BANK) -> list[tuple[int, int]]:
        found = catalog.newest_of_schema(who, PLANT.digest, NOW, after=f"{after:032x}", limit=limit)
        return names(found)

    assert page() == [(2, 2), (3, 1), (4, 1), (7, 1)]
    assert page(limit=2) == [(2, 2), (3, 1)]
    assert page(after=3) == [(4, 1), (7, 1)]
    assert page(who=TRUST) == [(5, 1)]
    assert catalog.assets_of(BANK, PLANT.digest) == {"a1", "a2", "a3", "a4", "a7"}
    assert catalog.assets_of(TRUST, OTHER.digest) == set()


def test_many_attestations_are_found_in_order_and_counted_once_each(catalog: Catalog) -> None:
    """More than one query can name; what is not there is left out."""
    stored = [version(number) for number in range(1, 1103)]
    for start in range(0, len(stored), 500):
        catalog.commit([fresh(each) for each in stored[start : start + 500]])
    digests = [each.attestation_digest for each in stored]
    found = catalog.find_all_attested([*digests[::-1], "0" * 64])
    assert names(found) == [(number, 1) for number in range(1, 1103)]
    with catalog.database.write() as connection:
        catalog.count_bundle(connection, digests[1:])
    counted = [each.bundles_issued for each in catalog.find_all_attested(digests)]
    assert counted == [0, *[1] * 1101]


def test_many_witnesses_are_opened_each_under_its_own_key(tmp_path: Path) -> None:
    """In order; one at another version's place does not open, and is named."""
    keys = KeyStore.open(tmp_path / "keys.db")
    values = bundles.read_attributes(PLANT, bundles.VALUES)
    stored, drawn = [], []
    for number in (1, 2, 3):
        each, key = version(number), WrapKey.generate()
        keys.add({each.attestation_digest: key}, now=NOW)
        witness = Witness.draw(PLANT, values)
        wrapped = wrap_witness(
            key,
            witness.encode(),
            document=each.document,
            version=each.version,
            attestation_digest=each.attestation_digest,
        )
        stored.append(replace(each, witness=wrapped))
        drawn.append(witness)
    opened = Witnesses(keys).open_all(stored[::-1])
    assert [each.values for each in opened] == [each.values for each in drawn[::-1]]
    swapped = replace(stored[0], witness=stored[1].witness)
    with pytest.raises(IntegrityError, match=f"document {stored[0].document}"):
        Witnesses(keys).open_all([swapped, stored[2]])
