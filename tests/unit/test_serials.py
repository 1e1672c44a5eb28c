"""The serials that a custodian's own machine remembers, whatever the vault says."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from support import bundles, portfolio
from support.portfolio import holdings
from support.sites import TwoSites, make_two_sites

from proofs.envelope import PayloadType
from proofs.errors import TrustError
from proofs.manifest import MAX_SERIAL, Manifest
from proofs.trust import Trust
from vault.client import manifests
from vault.client.manifests import Draft, ListedManifest
from vault.client.serials import FOLDER, open_serials, require_last
from vault.errors import ConflictError, InvalidInputError, UnavailableError
from vault.identity import Identity

SPV, PERIOD = "Harbour 海港", (date(2026, 1, 1), date(2026, 6, 30))
OTHER_PERIOD = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module")
def two_sites(tmp_path_factory: pytest.TempPathFactory) -> TwoSites:
    return make_two_sites(tmp_path_factory.mktemp("sites"))


@pytest.fixture
def bank(two_sites: TwoSites) -> Identity:
    found = two_sites.identity("cn", "custodian", "bank")
    for path in (found.folder / FOLDER).glob("*.journal"):
        path.unlink()
    return found


def drafted(serial: int, *, count: int = 3, **changes: object) -> Draft:
    """A manifest over so many documents of the portfolio in memory."""
    values: dict[str, object] = {"spv": SPV, "period": PERIOD, "attributes": ["capacity"]}
    return manifests.draft(
        [each.attestation for each in holdings(count)],
        bundles.schema(),
        serial=serial,
        now=bundles.NOW,
        **(values | changes),  # type: ignore[arg-type]
    )


def test_nothing_is_noted_at_first(bank: Identity) -> None:
    """The first serial of an SPV and a period is 1."""
    with open_serials(bank) as journal:
        assert manifests.next_serial(journal, [], SPV, PERIOD, own=bank.uri) == 1


def test_a_serial_is_noted_before_the_signature(bank: Identity) -> None:
    """For exactly its SPV and period, on the disk, in a file that nobody else reads."""
    with open_serials(bank) as journal:
        file = manifests.sign_draft(bank, journal, drafted(4))
    own_key = bank.signing_key.public_key().public_bytes_raw()
    signed = Manifest.parse(file.envelope.verify(own_key, PayloadType.PORTFOLIO))
    assert signed == drafted(4).manifest
    with open_serials(bank) as journal:
        assert journal.last(SPV, PERIOD) == 4
        assert journal.last(SPV, OTHER_PERIOD) == 0
        assert journal.last("Another", PERIOD) == 0
    path = bank.folder / FOLDER / "serials.journal"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("serial", [1, 3, 4])
def test_a_serial_that_is_not_higher_is_not_signed(bank: Identity, serial: int) -> None:
    """Other content under a number that is taken, or below one."""
    with open_serials(bank) as journal:
        manifests.sign_draft(bank, journal, drafted(4))
        with pytest.raises(ConflictError, match="not higher"):
            manifests.sign_draft(bank, journal, drafted(serial, count=2))
        assert journal.last(SPV, PERIOD) == 4


def test_the_same_content_may_be_signed_again(bank: Identity) -> None:
    """It is the same manifest, byte for byte; the journal has one line of it."""
    with open_serials(bank) as journal:
        first = manifests.sign_draft(bank, journal, drafted(4))
        assert manifests.sign_draft(bank, journal, drafted(4)) == first
    lines = (bank.folder / FOLDER / "serials.journal").read_bytes().splitlines()
    assert len(lines) == 1


def test_the_next_serial_is_above_both_memories(bank: Identity) -> None:
    """The vault's and the machine's, whichever knows more, of this SPV and period alone; another
    custodian's manifest blocks no serial, whatever the vault shows."""

    def known(serial: int, **changes: object) -> ListedManifest:
        return ListedManifest(drafted(serial, **changes).manifest, bank.uri, bundles.NOW, True)

    with open_serials(bank) as journal:
        manifests.sign_draft(bank, journal, drafted(4))
        others = [known(90, spv="Another"), known(80, period=OTHER_PERIOD)]
        others.append(replace(known(MAX_SERIAL), custodian="spiffe://rwa.example/cn/custodian/x"))
        for more, expected in (([], 5), ([known(2)], 5), ([known(7)], 8)):
            found = manifests.next_serial(journal, [*others, *more], SPV, PERIOD, own=bank.uri)
            assert found == expected


def test_only_one_process_signs_at_a_time(bank: Identity) -> None:
    """Two at once would both take the next serial."""
    busy = pytest.raises(ConflictError, match="being signed")
    with open_serials(bank), busy, open_serials(bank):
        pass
    with open_serials(bank):
        pass


def test_a_line_that_was_cut_short_is_dropped(bank: Identity) -> None:
    """Its manifest was not signed: the note comes first. What follows is read again."""
    path = bank.folder / FOLDER / "serials.journal"
    with open_serials(bank) as journal:
        manifests.sign_draft(bank, journal, drafted(4))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:-5])
    with open_serials(bank) as journal:
        assert journal.last(SPV, PERIOD) == 4
        manifests.sign_draft(bank, journal, drafted(5))
    with open_serials(bank) as journal:
        assert journal.last(SPV, PERIOD) == 5


def test_a_disk_without_room_signs_nothing(bank: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the beginning of a line and says nothing: dropped later, that would be a signature
    under a serial that nobody remembers."""
    with open_serials(bank) as journal:
        manifests.sign_draft(bank, journal, drafted(4))
        real = journal._file

        class Full:
            def write(self, data: bytes) -> int:
                return real.write(data[:7])

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        with monkeypatch.context() as patch:
            patch.setattr(journal, "_file", Full())
            with pytest.raises(UnavailableError, match="nothing was signed"):
                manifests.sign_draft(bank, journal, drafted(5))
        manifests.sign_draft(bank, journal, drafted(6))
    with open_serials(bank) as journal:
        assert journal.last(SPV, PERIOD) == 6


def test_only_the_last_that_was_signed_here_may_be_proven_over(bank: Identity) -> None:
    """Of its SPV, period and schema: a vault that lost its register would prove over any."""
    require_last(bank, drafted(4).manifest)
    with open_serials(bank) as journal:
        for serial in (4, 5):
            manifests.sign_draft(bank, journal, drafted(serial))
        manifests.sign_draft(bank, journal, drafted(9, spv="Another"))
    with pytest.raises(ConflictError, match="you signed serial 5"):
        require_last(bank, drafted(4).manifest)
    for right in (drafted(5), drafted(8), drafted(1, period=OTHER_PERIOD)):
        require_last(bank, right.manifest)
    require_last(bank, replace(drafted(4).manifest, schema="0" * 64))


@pytest.mark.parametrize("line", [b"{}\n", b"\n", b'{"serial":1}\n', b"\xff\n"])
def test_a_changed_journal_is_refused(bank: Identity, line: bytes) -> None:
    """Its serials would be believed."""
    folder = bank.folder / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "serials.journal").write_bytes(line)
    with pytest.raises(InvalidInputError, match="no journal"), open_serials(bank):
        pass


def test_a_link_in_its_place_is_refused(bank: Identity, tmp_path: Path) -> None:
    """It would be written to, wherever it leads."""
    folder = bank.folder / FOLDER
    folder.mkdir(exist_ok=True)
    os.symlink(tmp_path / "elsewhere", folder / "serials.journal")
    with pytest.raises(OSError, match="symbolic"), open_serials(bank):
        pass
    (folder / "serials.journal").unlink()


# --- the signer's scope -------------------------------------------------------------------------


def scoped(bank: Identity, **changes: object) -> Trust:
    """A trust file that pins the bank, with changed fields."""
    key = bank.signing_key.public_key().public_bytes_raw()
    values = bundles.signer_entry(bundles.CUSTODIAN) | {
        "key": bundles.base64.b64encode(key).decode(),
        "schemas": [bundles.schema().digest],
        "assets": ["cn-pv-*"],
    }
    return Trust.parse(bundles.entry("custodian", values | changes).encode())


def test_a_signer_in_scope_may_sign(bank: Identity) -> None:
    """For the schema, every asset, and the times of signing and attesting."""
    manifests.check_scope(bank, drafted(1), scoped(bank))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"assets": ["cn-pv-00001", "cn-pv-00002"]}, "asset cn-pv-00003"),
        ({"assets": []}, "asset cn-pv-00001"),
        ({"schemas": ["0" * 64]}, "schema"),
        ({"valid_from": "later"}, "not valid when it signed"),
    ],
)
def test_a_signer_out_of_scope_may_not(
    bank: Identity, changes: dict[str, object], says: str
) -> None:
    """Every bundle over such a manifest would be refused by that verifier."""
    if changes.get("valid_from"):
        later = bundles.NOW - timedelta(hours=1)
        changes = {"valid_from": bundles.format_instant(later)}
    with pytest.raises(TrustError, match=says):
        manifests.check_scope(bank, drafted(1), scoped(bank, **changes))


def test_a_trust_file_of_others_is_no_scope(bank: Identity) -> None:
    """It must pin the very key that signs."""
    with pytest.raises(TrustError, match="does not pin your key"):
        manifests.check_scope(bank, drafted(1), portfolio.trust())
