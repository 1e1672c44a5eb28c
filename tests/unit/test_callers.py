"""Who a certificate makes its bearer: every judgement alone, with the clock and files at hand."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from support.certificates import Rogue, names, rogue_leaf
from support.sites import TwoSites, make_two_sites

from proofs import canonical, envelope
from proofs.envelope import Envelope, PayloadType
from vault import pki
from vault.enrol import SiteFolder
from vault.errors import UnauthenticatedError
from vault.files import read_private
from vault.identity import read_signing_key
from vault.server import tls
from vault.server.tls import Authenticator

BANK = "spiffe://rwa.example/cn/custodian/bank"
LONG = timedelta(days=5000)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        # Ahead: a certificate that a test makes a second later is valid on this clock too.
        self.now = pki.now_utc() + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two joined sites, made once."""
    folder = tmp_path_factory.mktemp("made")
    make_two_sites(folder, enrolled=[("cn", "custodian", "bank"), ("hk", "spv", "issuer")])
    return folder


@pytest.fixture
def sites(made: Path, tmp_path: Path) -> TwoSites:
    """A copy of its own of both sides."""
    shutil.copytree(made, tmp_path / "both")
    return TwoSites(SiteFolder(tmp_path / "both" / "cn"), SiteFolder(tmp_path / "both" / "hk"))


@pytest.fixture
def clock() -> Clock:
    """The judge's clock."""
    return Clock()


@pytest.fixture
def judge(sites: TwoSites, clock: Clock) -> Authenticator:
    """The vault's view of callers."""
    return Authenticator(sites.vault.sites(), clock)


def ca_of(site: SiteFolder) -> Rogue:
    """A side's CA with its key."""
    key = pki.decode_key(read_private(site.folder / "private" / "ca-key.pem"), where="ca")
    assert isinstance(key, EllipticCurvePrivateKey)
    pem = (site.folder / "ca.pem").read_bytes()
    return Rogue(key, pki.read_certificate(pem, where="ca"))


def reason(judge: Authenticator, certificate: bytes | None) -> str:
    """Why the judge refuses."""
    with pytest.raises(UnauthenticatedError) as caught:
        judge.caller(certificate)
    return caught.value.reason


def republish(site: SiteFolder, change: dict[str, object]) -> bytes:
    """The side's file with the next number and other fields, signed by its site key."""
    current = site.current()
    old = canonical.parse(
        Envelope.parse(current.encoded).unverified_payload, limit=envelope.MAX_PAYLOAD
    )
    assert isinstance(old, dict)
    key = read_signing_key(site.folder / "private" / "site-key.pem")
    payload = canonical.dump({**old, "number": current.number + 1, **change})
    return envelope.sign(PayloadType.SITE, payload, key)


def test_the_caller_is_the_listed_principal(sites: TwoSites, judge: Authenticator) -> None:
    """The first look and the remembered one give the same caller, with its listing's keys."""
    bank = sites.identity("cn", "custodian", "bank")
    first, again = (judge.caller(bank.certificate_pem) for _ in range(2))
    assert first == again
    assert first.uri == BANK
    assert first.record.signing_key == bank.signing_key.public_key().public_bytes_raw()


def test_no_certificate_and_junk_are_nobody(judge: Authenticator) -> None:
    """What the TLS library would never hand over is refused all the same."""
    assert reason(judge, None) == "NO_CERTIFICATE"
    for junk in (b"", b"junk", b"-----BEGIN CERTIFICATE-----\n"):
        assert reason(judge, junk) in ("BAD_CERTIFICATE", "INVALID_INPUT")


def test_a_remembered_certificate_still_expires(
    sites: TwoSites, judge: Authenticator, clock: Clock
) -> None:
    """Served to its last second, refused in the next, and served again if the clock was wrong."""
    bank = sites.identity("cn", "custodian", "bank")
    now = clock.now
    clock.now = bank.expires
    assert judge.caller(bank.certificate_pem).uri == BANK
    clock.now = bank.expires + timedelta(seconds=1)
    assert reason(judge, bank.certificate_pem) == "EXPIRED"
    clock.now = now
    assert judge.caller(bank.certificate_pem).uri == BANK


def test_a_listing_ends_before_its_certificate(
    sites: TwoSites, judge: Authenticator, clock: Clock
) -> None:
    """A certificate that outlives the listing is refused when the listing ends."""
    leaf = rogue_leaf(ca_of(sites.cn), names(BANK), life=LONG)
    assert judge.caller(leaf.certificate_pem).uri == BANK
    clock.now += timedelta(days=31)
    assert reason(judge, leaf.certificate_pem) == "NOT_LISTED"


def test_a_certificate_ends_with_its_ca(
    sites: TwoSites, judge: Authenticator, clock: Clock
) -> None:
    """A certificate and a listing that outlive the CA are worth nothing after its end."""
    leaf = rogue_leaf(ca_of(sites.cn), names(BANK), life=LONG)
    listed = [dict(record.to_json()) for record in sites.cn.current().principals.values()]
    for item in listed:
        item["valid_until"] = "9999-01-01T00:00:00Z"
    folder = sites.folder("cn", "vault", "main") / "sites"
    (folder / "cn.json").write_bytes(republish(sites.cn, {"principals": listed}))
    clock.now += timedelta(days=3649)
    assert judge.caller(leaf.certificate_pem).uri == BANK
    clock.now += timedelta(days=2)
    assert reason(judge, leaf.certificate_pem) == "EXPIRED"


def test_a_certificate_older_than_its_listing_is_refused(
    sites: TwoSites, judge: Authenticator
) -> None:
    """One second before the listing begins is too old; at its beginning is not."""
    start = sites.cn.sites().principal(BANK).valid_from
    ca = ca_of(sites.cn)
    at = rogue_leaf(ca, names(BANK), not_before=start)
    before = rogue_leaf(ca, names(BANK), not_before=start - timedelta(seconds=1))
    assert judge.caller(at.certificate_pem).uri == BANK
    assert reason(judge, before.certificate_pem) == "NOT_LISTED"


def test_a_side_that_changes_its_ca_takes_its_certificates_back(
    sites: TwoSites, judge: Authenticator
) -> None:
    """A remembered certificate of the CA before is refused once the site file names another."""
    issuer = sites.identity("hk", "spv", "issuer")
    assert judge.caller(issuer.certificate_pem).uri == issuer.uri
    key, now = pki.new_key(), pki.now_utc()
    ca = pki.issue_ca(
        key,
        trust_domain="rwa.example",
        jurisdiction="hk",
        not_before=now - timedelta(hours=1),
        not_after=now + LONG,
    )
    pem = pki.encode_certificate(ca).decode()
    sites.cn.join(republish(sites.hk, {"ca": pem}), sites.hk.current().fingerprint)
    assert reason(judge, issuer.certificate_pem) == "WRONG_CA"
    start = sites.cn.sites().principal(issuer.uri).valid_from
    fresh = rogue_leaf(Rogue(key, ca), names(issuer.uri), not_before=start)
    assert judge.caller(fresh.certificate_pem).uri == issuer.uri


def test_before_the_other_side_joins_it_is_nobody(sites: TwoSites, clock: Clock) -> None:
    """A certificate of a side whose file is not pinned is refused with that reason."""
    folder = sites.folder("cn", "vault", "main") / "sites"
    pins = (folder / "pins.toml").read_text().splitlines()
    (folder / "pins.toml").write_text("\n".join(p for p in pins if not p.startswith("hk")))
    judge = Authenticator(sites.vault.sites(), clock)
    issuer = sites.identity("hk", "spv", "issuer")
    assert reason(judge, issuer.certificate_pem) == "SITE_NOT_JOINED"
    assert judge.caller(sites.identity("cn", "custodian", "bank").certificate_pem).uri == BANK


def test_what_is_remembered_is_bounded(
    sites: TwoSites, judge: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A side that makes certificates without end fills no memory, and callers stay known."""
    monkeypatch.setattr(tls, "MAX_REMEMBERED", 3)
    ca = ca_of(sites.cn)
    start = sites.cn.sites().principal(BANK).valid_from
    for _ in range(8):
        leaf = rogue_leaf(ca, names(BANK), not_before=start)
        assert judge.caller(leaf.certificate_pem).uri == BANK
        assert len(judge._known) <= 3
