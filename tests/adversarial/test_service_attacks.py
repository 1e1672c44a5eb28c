"""Attacks on the service that once worked, or would without a check that is easily lost.

Each test plays one party against the others with the real parts: a clean-up against a put that
ends at the wrong moment, one custodian against another, a requester who hands in too much.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from support.documents import PLANT, plant
from support.local_vault import LocalVault, received
from support.sites import TwoSites, make_two_sites

from proofs.envelope import Envelope, PayloadType, sign
from proofs.schema import Schema
from vault.app import staging
from vault.crypto.root import MAX_LINKS
from vault.crypto.wrap import WrapKey
from vault.errors import ExhaustedError, IntegrityError, InvalidInputError
from vault.pki import now_utc
from vault.ports import Deposit


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"), now=now_utc() - timedelta(days=1))


def open_vault(sites: TwoSites, folder: Path, now: list) -> LocalVault:
    """A vault whose clock stands at the last of `now`."""
    vault = LocalVault(sites, folder, clock=lambda: now[-1])
    vault.documents.add_schema(vault.bank.principal, PLANT.encode())
    return vault


def test_a_sweep_spares_a_put_that_commits_while_it_looks(
    sites: TwoSites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload of over an hour that ends between the sweep's two questions loses no block.

    The sweep asks the catalogue, which does not list the blocks yet; the put commits and lets go
    of them; only then would the sweep look who is bringing them, and find nobody.
    """
    now = [now_utc()]
    vault = open_vault(sites, tmp_path / "vault", now)
    blocks, sealed = vault.seal(plant())
    call = vault.ingest.begin(vault.bank.principal, 1)
    for part, cid, data in blocks:
        call.add_block(part, cid.binary, data)
    call._blocks.flush()
    call.add_document(received(sealed))
    asked = vault.catalog.known_blocks

    def known(cids: Iterable[bytes]) -> set[bytes]:
        found = asked(cids)
        monkeypatch.undo()
        call.finish()
        return found

    monkeypatch.setattr(vault.ingest.catalog, "known_blocks", known)
    now.append(now[-1] + timedelta(hours=2))
    vault.ingest.sweep()
    call.abort()
    assert [vault.stores[part].get(cid) == data for part, cid, data in blocks] == [True] * len(
        blocks
    )


def test_a_custodian_cannot_deposit_anothers_shares_as_its_own(
    sites: TwoSites, tmp_path: Path
) -> None:
    """Nor can a vault that helps: else it could ask for the other's personal part by itself.

    An attestation does not name its custodian, so the thief signs the very same bytes, and hands
    in the sealed shares before the custodian's own deposit arrives. What binds them to their
    custodian is the context that they were sealed in.
    """
    vault = open_vault(sites, tmp_path / "vault", [now_utc()])
    thief = sites.identity("cn", "custodian", "trust")
    _, sealed = vault.seal(plant())

    def resigned(data: bytes, kind: PayloadType) -> bytes:
        return sign(kind, Envelope.parse(data).unverified_payload, thief.signing_key)

    for uri, box in vault.holders.boxes.items():
        stolen = Deposit(
            resigned(sealed.attestation, PayloadType.ATTESTATION),
            resigned(sealed.key_manifest, PayloadType.KEY_MANIFEST),
            tuple(share for share in sealed.shares if share.holder == uri),
        )
        with pytest.raises(IntegrityError, match="another custodian"):
            box.deposit([stolen])
        assert vault.holders.stores[uri].find(sealed.attestation_digest) is None
        honest = Deposit(sealed.attestation, sealed.key_manifest, stolen.shares)
        assert len(box.deposit([honest])) == 1
        stored = vault.holders.stores[uri].find(sealed.attestation_digest)
        assert stored is not None
        assert stored.custodian == vault.bank.uri


def test_a_custodian_cannot_make_the_list_of_schemas_too_long_to_send(
    sites: TwoSites, tmp_path: Path
) -> None:
    """All schemas travel in one message: one custodian's would else lock all others out."""
    vault = open_vault(sites, tmp_path / "vault", [now_utc()])
    other = sites.identity("cn", "custodian", "trust").principal
    author = json.loads(PLANT.encode())

    def large(number: int) -> bytes:
        members = [f"{number} {place} {'x' * 900}" for place in range(200)]
        enum = {
            "class": "asset",
            "label": {"en": "Kind", "zh": "种类"},
            "members": members,
            "name": "kind",
            "type": "enum",
        }
        text = json.dumps({"attributes": [enum], "name": "large", "title": author["title"]})
        return Schema.from_author(text.encode())

    for number in range(5):
        vault.documents.add_schema(vault.bank.principal, large(number))
    with pytest.raises(ExhaustedError, match="bytes of schemas already"):
        vault.documents.add_schema(vault.bank.principal, large(5))
    assert sum(map(len, vault.documents.schemas())) <= 1 << 20
    vault.documents.add_schema(vault.bank.principal, large(0))
    vault.documents.add_schema(other, large(5))
    assert large(5) in vault.documents.schemas()


def test_a_call_cannot_fill_the_memory_with_tiny_blocks(
    sites: TwoSites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 documents of one-byte chunks: 2 million CIDs to remember, for 100 MB that are sent."""
    assert 2 * MAX_LINKS <= staging.MAX_BLOCKS < 3 * MAX_LINKS
    vault = open_vault(sites, tmp_path / "vault", [now_utc()])
    first, second = vault.seal(plant("cn-1")), vault.seal(plant("cn-2"))
    monkeypatch.setattr(staging, "MAX_BLOCKS", len(first[0]) + len(second[0]) - 1)
    with pytest.raises(InvalidInputError, match="at most 7 blocks"):
        vault.put(*((blocks, received(sealed)) for blocks, sealed in (first, second)))
    assert vault.block_count() == 0
    vault.put((first[0], received(first[1])))
    assert vault.block_count() == len(first[0])


def test_a_lost_catalogue_does_not_take_blocks_and_keys_with_it(
    sites: TwoSites, tmp_path: Path
) -> None:
    """A vault that starts beside an empty database sweeps nothing of the one before: the copy
    would be worth nothing. What it left itself it sweeps."""
    now = [now_utc()]
    folder = tmp_path / "vault"
    vault = open_vault(sites, folder, now)
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    lose(vault, folder, "catalog.db")
    now.append(now[-1] + timedelta(days=2))
    again = LocalVault(sites, folder, clock=lambda: now[-1])
    assert again.ingest.sweep() == 0
    again.documents.add_schema(again.bank.principal, PLANT.encode())
    again.keys.add({"ab" * 32: WrapKey.generate()}, now=now[-1])
    now.append(now[-1] + timedelta(days=2))
    assert again.ingest.sweep() == 0
    assert again.block_count() == len(blocks)
    assert again.keys.older_than(now[-1]) == [sealed.attestation_digest]


def test_a_lost_database_does_not_take_a_holders_keys_with_it(
    sites: TwoSites, tmp_path: Path
) -> None:
    """Nor does a holder that starts beside an empty database, not even with new deposits."""
    now = [now_utc()]
    folder = tmp_path / "vault"
    vault = open_vault(sites, folder, now)
    blocks, sealed = vault.seal(plant())
    vault.put((blocks, received(sealed)))
    uri = sites.holders("cn")[0].uri
    lose(vault, folder, "cn-h1.db")
    now.append(now_utc() + timedelta(seconds=1))
    again = LocalVault(sites, folder, clock=lambda: now[-1])
    box, keys = again.holders.boxes[uri], again.holders.stores[uri]._keys
    later = now[-1] + timedelta(days=2)

    def sweep() -> list[str]:
        now.append(later)
        box.sweep(lambda digests: digests)
        now.pop()
        return keys.older_than(later)

    assert sweep() == [sealed.attestation_digest]
    more, second = again.seal(plant("cn-2"))
    again.put((more, received(second)))
    keys.add({"ab" * 32: WrapKey.generate()}, now=now[-1])
    assert set(sweep()) == {sealed.attestation_digest, second.attestation_digest}


def lose(vault: LocalVault, folder: Path, name: str) -> None:
    """Close everything, and remove one database."""
    vault.catalog.database.close()
    vault.keys.close()
    for store in (*vault.stores.values(), *vault.holders.stores.values()):
        store.close()
    for file in folder.glob(f"{name}*"):
        file.unlink()
