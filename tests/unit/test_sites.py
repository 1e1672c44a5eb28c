"""Site files, pins and identities: what they admit, and every refusal."""

from __future__ import annotations

import base64
import os
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sites import TwoSites, make_two_sites

from proofs import canonical, envelope
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError, EncodingError, SignatureError
from proofs.principal import Principal
from vault.config import Quorum, SiteConfig, holder_config, vault_config
from vault.enrol import SiteFolder, create_site
from vault.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    VaultError,
)
from vault.identity import Identity, read_signing_key
from vault.pinning import join
from vault.pki import now_utc
from vault.site_file import PrincipalRecord, Site, make_site, read_fingerprint, show_fingerprint
from vault.sites import SiteSet, pinned_fingerprint


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two joined sites, made once; tests that change something work on a copy."""
    folder = tmp_path_factory.mktemp("made")
    make_two_sites(folder, enrolled=[("cn", "custodian", "bank"), ("hk", "spv", "issuer")])
    return folder


@pytest.fixture
def sites(made: Path, tmp_path: Path) -> TwoSites:
    """A copy of its own of both sides."""
    shutil.copytree(made, tmp_path / "both")
    return TwoSites(SiteFolder(tmp_path / "both" / "cn"), SiteFolder(tmp_path / "both" / "hk"))


def resigned(site: SiteFolder, change: dict[str, object]) -> bytes:
    """The side's file with some fields replaced, signed by its real site key, unchecked."""
    old = canonical.parse(
        Envelope.parse(site.current().encoded).unverified_payload, limit=envelope.MAX_PAYLOAD
    )
    assert isinstance(old, dict)
    payload = canonical.dump({**old, **change})
    key = read_signing_key(site.folder / "private" / "site-key.pem")
    return envelope.sign(PayloadType.SITE, payload, key)


def principals_of(site: SiteFolder) -> list[dict[str, object]]:
    """The JSON objects of a side's principals."""
    return [dict(record.to_json()) for record in site.current().principals.values()]


# --- parsing ------------------------------------------------------------------------------------


def test_a_site_file_reads_back_as_it_was_made(sites: TwoSites) -> None:
    """Parsing under the right fingerprint gives every field that was signed."""
    site = sites.cn.current()
    assert Site.parse(site.encoded, fingerprint=site.fingerprint) == site
    assert (site.jurisdiction, site.trust_domain, site.number) == ("cn", "rwa.example", 2)
    assert [r.principal.name for r in site.by_role("holder")] == ["h1", "h2", "h3"]
    assert site.quorum == Quorum(threshold=2, holders=3)


def test_a_file_signed_by_another_key_is_refused(sites: TwoSites) -> None:
    """A file that names the pinned key but is signed by another does not verify."""
    site = sites.cn.current()
    payload = Envelope.parse(site.encoded).unverified_payload
    thief = Ed25519PrivateKey.generate()
    with pytest.raises(SignatureError, match="signed by the key"):
        Site.parse(envelope.sign(PayloadType.SITE, payload, thief), fingerprint=site.fingerprint)
    forged = replace(
        Envelope.parse(envelope.sign(PayloadType.SITE, payload, thief)), keyid=site.fingerprint
    )
    with pytest.raises(SignatureError, match="does not verify"):
        Site.parse(forged.encode(), fingerprint=site.fingerprint)


def test_the_key_in_the_payload_vouches_for_nothing(sites: TwoSites) -> None:
    """A whole file made with another site key is refused under the pinned fingerprint."""
    mine, theirs = sites.cn.current(), sites.hk.current()
    with pytest.raises(SignatureError, match="compare it"):
        Site.parse(theirs.encoded, fingerprint=mine.fingerprint)


def test_an_envelope_of_another_kind_is_no_site_file(sites: TwoSites) -> None:
    """The site key's signature under another payload type does not make a site file."""
    site = sites.cn.current()
    payload = Envelope.parse(site.encoded).unverified_payload
    key = read_signing_key(sites.cn.folder / "private" / "site-key.pem")
    with pytest.raises(SignatureError, match="expected"):
        Site.parse(envelope.sign(PayloadType.SET, payload, key), fingerprint=site.fingerprint)


def test_a_side_lists_its_own_principals_only(sites: TwoSites) -> None:
    """Hong Kong's real site key cannot list a custodian, a vault or a holder of the mainland."""
    for source in sites.cn.current().principals.values():
        forged = resigned(sites.hk, {"principals": [source.to_json(), *principals_of(sites.hk)]})
        with pytest.raises(EncodingError, match="not a principal of this site"):
            Site.parse(forged, fingerprint=sites.hk.current().fingerprint)


def test_hong_kong_has_no_custodian_or_vault_role(sites: TwoSites) -> None:
    """`hk/custodian/x` and `hk/vault/x` are principals of nobody, whoever lists them."""
    for role in ("custodian", "vault"):
        listed = principals_of(sites.hk)
        listed[0]["uri"] = f"spiffe://rwa.example/hk/{role}/x"
        forged = resigned(sites.hk, {"principals": listed})
        with pytest.raises(EncodingError, match="the roles of hk"):
            Site.parse(forged, fingerprint=sites.hk.current().fingerprint)
        with pytest.raises(EncodingError, match="the roles of hk"):
            sites.hk.issue(role, "x", now=now_utc())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": 0}, "number"),
        ({"extra": 1}, "unknown field"),
        ({"format": "crossvault/site/v2"}, "format"),
        ({"quorum": {"threshold": 1, "holders": 3}}, "threshold"),
        ({"quorum": {"threshold": 2, "holders": 2}}, "more holders"),
        ({"quorum": {"threshold": 2, "holders": 4}}, "quorum"),
        ({"ca": "-----BEGIN CERTIFICATE-----"}, "certificate"),
        ({"trust_domain": "other.example"}, "not a principal of this site"),
        ({"jurisdiction": "us"}, "jurisdiction"),
    ],
)
def test_a_malformed_site_file_is_refused(
    sites: TwoSites, change: dict[str, object], reason: str
) -> None:
    """Each field out of its form is refused although the real site key signed it."""
    with pytest.raises((CrossproofError, VaultError), match=reason):
        Site.parse(resigned(sites.cn, change), fingerprint=sites.cn.current().fingerprint)


def test_two_principals_never_share_a_key(sites: TwoSites) -> None:
    """One signing key or one HPKE key under two names is refused."""
    for field in ("signing_key", "hpke_key"):
        listed = principals_of(sites.cn)
        listed[1][field] = listed[2][field]
        forged = resigned(sites.cn, {"principals": listed})
        with pytest.raises(EncodingError, match="one key"):
            Site.parse(forged, fingerprint=sites.cn.current().fingerprint)


def test_principals_are_sorted_and_listed_once(sites: TwoSites) -> None:
    """Another order, or one principal twice, is a second spelling and refused."""
    listed = principals_of(sites.cn)
    for forged in (listed[::-1], [listed[0], *listed]):
        with pytest.raises(EncodingError, match="sorted by URI"):
            Site.parse(
                resigned(sites.cn, {"principals": forged}),
                fingerprint=sites.cn.current().fingerprint,
            )


@pytest.mark.parametrize(
    ("role", "change"),
    [
        ("custodian", {"address": "127.0.0.1:1"}),
        ("custodian", {"person": "wang"}),
        ("custodian", {"hpke_key": None}),
        ("holder", {"address": None}),
        ("holder", {"address": "no-port"}),
        ("holder", {"address": "host:0"}),
        ("holder", {"address": "host:65536"}),
        ("holder", {"address": "a b:80"}),
        ("officer", {"person": None}),
        ("officer", {"person": "../x"}),
        ("vault", {"valid_until": "1999-01-01T00:00:00Z"}),
        ("vault", {"signing_key": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}),
    ],
)
def test_fields_belong_to_roles(sites: TwoSites, role: str, change: dict[str, object]) -> None:
    """Keys, addresses and persons where a role has none, or absent where it has, are refused."""
    sites.cn.issue("officer", "wang", now=now_utc(), person="p-1")
    listed = principals_of(sites.cn)
    item = next(one for one in listed if f"/{role}/" in str(one["uri"]))
    for name, value in change.items():
        item.pop(name, None)
        if value is not None:
            item[name] = value
    with pytest.raises((CrossproofError, VaultError)):
        Site.parse(
            resigned(sites.cn, {"principals": listed}),
            fingerprint=sites.cn.current().fingerprint,
        )


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_changed_byte_of_a_site_file_is_accepted(made: Path, data: st.DataObject) -> None:
    """Any single-byte change, truncation or extension raises one of our errors."""
    site = SiteFolder(made / "cn").current()
    at = data.draw(st.integers(0, len(site.encoded) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(site.encoded)
    changed[at] ^= 1 << bit
    for forged in (bytes(changed), site.encoded[:at], site.encoded + b" "):
        with pytest.raises((CrossproofError, VaultError)):
            Site.parse(forged, fingerprint=site.fingerprint)


# --- numbers and pins ---------------------------------------------------------------------------


def test_a_higher_number_replaces_and_a_lower_one_is_refused(sites: TwoSites) -> None:
    """Joining takes later numbers, says no to earlier ones, and keeps what it had."""
    old = sites.hk.current()
    sites.hk.issue("auditor", "late", now=now_utc())
    new = sites.hk.current()
    assert new.number == old.number + 1
    assert sites.cn.join(new.encoded, new.fingerprint).number == new.number
    with pytest.raises(ConflictError, match="older"):
        sites.cn.join(old.encoded, old.fingerprint)
    assert sites.cn.sites().site("hk") == new
    assert sites.identity("cn", "vault", "main").sites().site("hk") == new


def test_another_file_of_the_same_number_is_refused(sites: TwoSites) -> None:
    """Two files of one number mean that somebody lies; the same file again is fine."""
    site = sites.hk.current()
    twin = resigned(sites.hk, {"issued": "2020-01-01T00:00:00Z"})
    with pytest.raises(ConflictError, match="same number"):
        sites.cn.join(twin, site.fingerprint)
    assert sites.cn.join(site.encoded, site.fingerprint) == site


def test_a_wrong_fingerprint_joins_nothing(sites: TwoSites, tmp_path: Path) -> None:
    """With one digit changed nothing is pinned."""
    site = sites.hk.current()
    wrong = ("0" if site.fingerprint[0] != "0" else "1") + site.fingerprint[1:]
    with pytest.raises(SignatureError):
        join(tmp_path / "fresh", site.encoded, wrong)
    assert not (tmp_path / "fresh").exists()


def test_a_pinned_side_never_changes_its_key(sites: TwoSites, tmp_path: Path) -> None:
    """A new site under the same name is refused even with its true fingerprint."""
    other = create_site(
        tmp_path / "impostor",
        trust_domain="rwa.example",
        jurisdiction="hk",
        quorum=Quorum(threshold=2, holders=3),
        now=now_utc(),
    )
    assert pinned_fingerprint(sites.cn.folder / "sites", other.encoded) is None
    with pytest.raises(ConflictError, match="another key"):
        sites.cn.join(other.encoded, other.fingerprint)


def test_a_side_does_not_join_itself(sites: TwoSites) -> None:
    """Its own file is not the other's, and nothing changes."""
    own = sites.cn.current()
    with pytest.raises(InvalidInputError, match="itself"):
        sites.cn.join(own.encoded, own.fingerprint)


def test_sides_that_share_a_key_are_refused(sites: TwoSites) -> None:
    """A Hong Kong file that carries the mainland's CA certificate, or a mainland key, is refused.

    CA certificates and signing keys are public, so anyone can copy them into a file.
    """
    cn = sites.cn.current()
    ca = resigned(sites.hk, {"number": 9, "ca": (sites.cn.folder / "ca.pem").read_bytes().decode()})
    listed = principals_of(sites.hk)
    bank = cn.principals["spiffe://rwa.example/cn/custodian/bank"]
    listed[0]["signing_key"] = bank.to_json()["signing_key"]
    key = resigned(sites.hk, {"number": 9, "principals": listed})
    for forged in (ca, key):
        with pytest.raises(InvalidInputError, match="share a key"):
            sites.cn.join(forged, sites.hk.current().fingerprint)
    assert sites.cn.sites().site("hk").number == sites.hk.current().number


def test_a_running_process_takes_later_files_and_keeps_good_ones(sites: TwoSites) -> None:
    """`refresh` sees a removal at once, and an older or broken file changes nothing."""
    folder = sites.folder("cn", "vault", "main") / "sites"
    running = SiteSet.load(folder)
    old = (folder / "cn.json").read_bytes()
    assert running.principal("spiffe://rwa.example/cn/custodian/bank").principal.name == "bank"
    sites.cn.remove("custodian", "bank", now=now_utc())
    running.refresh()
    with pytest.raises(NotFoundError, match="not listed"):
        running.principal("spiffe://rwa.example/cn/custodian/bank")
    number = running.site("cn").number
    for bad in (old, b"{}", b""):
        (folder / "cn.json").write_bytes(bad)
        running.refresh()
        assert running.site("cn").number == number
    (folder / "cn.json").unlink()
    running.refresh()
    assert running.site("cn").number == number


def test_a_running_process_keeps_the_site_key_it_started_with(
    sites: TwoSites, tmp_path: Path
) -> None:
    """Exchanged pins and a file of another key with a higher number change nothing at run time."""
    folder = sites.folder("cn", "vault", "main") / "sites"
    running = SiteSet.load(folder)
    create_site(
        tmp_path / "hk",
        trust_domain="rwa.example",
        jurisdiction="hk",
        quorum=Quorum(threshold=2, holders=3),
        now=now_utc(),
    )
    impostor = SiteFolder(tmp_path / "hk")
    for name in ("one", "two", "three"):
        impostor.issue("spv", name, now=now_utc())
    pins = (folder / "pins.toml").read_text().splitlines()
    pins[-1] = f'hk = "{impostor.current().fingerprint}"'
    (folder / "hk.json").write_bytes(impostor.current().encoded)
    (folder / "pins.toml").write_text("\n".join(pins))
    assert impostor.current().number > running.site("hk").number
    assert SiteSet.load(folder).site("hk") == impostor.current()  # the files are sound
    running.refresh()
    assert running.site("hk") == sites.hk.current()


def test_lookups_say_who_is_valid(sites: TwoSites) -> None:
    """Valid principals are found by URI and by key; expired ones are refused, absent ones too."""
    both = sites.cn.sites()
    bank = both.principal("spiffe://rwa.example/cn/custodian/bank")
    assert both.by_key(bank.key_id) == bank
    assert both.require_valid(bank.principal, now_utc()) == bank
    with pytest.raises(NotAllowedError, match="valid from"):
        both.require_valid(bank.uri, bank.valid_until + timedelta(seconds=1))
    with pytest.raises(NotAllowedError, match="valid from"):
        both.require_valid(bank.uri, bank.valid_from - timedelta(seconds=1))
    with pytest.raises(NotFoundError):
        both.by_key("00" * 32)
    with pytest.raises(NotFoundError):
        both.principal("spiffe://rwa.example/cn/custodian/nobody")


def test_before_joining_there_is_one_side(tmp_path: Path) -> None:
    """A lone site has its own side; the other is refused with what to do."""
    create_site(
        tmp_path / "cn",
        trust_domain="rwa.example",
        jurisdiction="cn",
        quorum=Quorum(threshold=2, holders=2),
        now=now_utc(),
    )
    both = SiteFolder(tmp_path / "cn").sites()
    assert (both.has("cn"), both.has("hk")) == (True, False)
    with pytest.raises(NotFoundError, match="crossvault site add"):
        both.ca("hk")


def test_fingerprints_read_as_people_write_them(sites: TwoSites) -> None:
    """Groups, colons and upper case are allowed; another length or letter is not."""
    fingerprint = sites.cn.current().fingerprint
    for text in (show_fingerprint(fingerprint), fingerprint.upper(), fingerprint.replace("a", "A")):
        assert read_fingerprint(text) == fingerprint
    for text in ("", fingerprint[:-1], fingerprint + "0", "g" + fingerprint[1:]):
        with pytest.raises(InvalidInputError):
            read_fingerprint(text)


# --- administration -----------------------------------------------------------------------------


def test_enrolling_twice_or_too_many_holders_is_refused(sites: TwoSites) -> None:
    """A name is enrolled once, an officer has a person, a quorum counts its holders."""
    for role, name, reason in (
        ("custodian", "bank", "is enrolled"),
        ("holder", "h4", "all are enrolled"),
        ("officer", "wang", "--person"),
    ):
        with pytest.raises(VaultError, match=reason):
            sites.cn.issue(role, name, now=now_utc())
    with pytest.raises(ConflictError, match="a site already"):
        create_site(
            sites.cn.folder,
            trust_domain="rwa.example",
            jurisdiction="cn",
            quorum=Quorum(threshold=2, holders=3),
            now=now_utc(),
        )


def test_renewing_keeps_what_signatures_and_seals_hang_on(sites: TwoSites) -> None:
    """A renewed identity has a new TLS key and life, and the same signing and HPKE keys."""
    before = sites.identity("cn", "custodian", "bank")
    sites.cn.renew("custodian", "bank", now=now_utc(), life=timedelta(days=300))
    after = sites.identity("cn", "custodian", "bank")
    record = sites.cn.sites().principal(after.uri)
    assert after.tls_key_pem != before.tls_key_pem
    assert after.expires > before.expires
    assert record.valid_until == after.expires
    assert after.require_hpke_key().public == before.require_hpke_key().public
    assert record.signing_key == before.signing_key.public_key().public_bytes_raw()


def test_a_running_process_finds_its_renewed_certificate(sites: TwoSites) -> None:
    """`renewed` is the identity itself until its folder has another whole one, never a mixture."""
    before = sites.identity("cn", "vault", "main")
    assert before.renewed() is before
    sites.cn.renew("vault", "main", now=now_utc(), life=timedelta(days=300))
    after = before.renewed()
    assert (after.uri, after.expires > before.expires) == (before.uri, True)
    key = before.folder / "tls-key.pem"
    key.write_bytes(before.tls_key_pem)
    assert before.renewed() is before
    key.write_bytes(after.tls_key_pem)
    shutil.rmtree(before.folder)
    assert before.renewed() is before


def test_the_config_names_the_processes(sites: TwoSites) -> None:
    """Settings of vault and holders; the Hong Kong holders serve the vault that was joined."""
    vault = vault_config(sites.cn.folder)
    assert Identity.load(vault.identity).uri == "spiffe://rwa.example/cn/vault/main"
    holder = holder_config(sites.hk.folder, "h2")
    assert holder.vault == Principal("rwa.example", "cn", "vault", "main")
    assert holder.data == sites.hk.folder / "holders" / "h2"
    with pytest.raises(InvalidInputError, match="no vault"):
        vault_config(sites.hk.folder)
    with pytest.raises(EncodingError):
        holder_config(sites.hk.folder, "../cn")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("colour = 1", "unknown setting"),
        ('format = "x"', "not TOML"),  # twice
        ("port_base = true", "not TOML"),
        ("[blocks2]", "unknown setting"),
    ],
)
def test_an_unknown_or_broken_setting_is_refused(sites: TwoSites, line: str, reason: str) -> None:
    """A misspelled setting must not be silently without effect."""
    path = sites.cn.folder / "site.toml"
    text = path.read_text()
    path.write_text(f"{text}\n{line}\n" if line.startswith("[") else f"{line}\n{text}")
    with pytest.raises(InvalidInputError, match=reason):
        SiteConfig.load(sites.cn.folder)


def test_a_kubo_store_needs_credentials(sites: TwoSites) -> None:
    """Choosing Kubo without the credentials file is refused, with it accepted."""
    path = sites.cn.folder / "site.toml"
    text = path.read_text()
    kubo = 'store = "kubo"\nkubo_api = "/ip4/127.0.0.1/tcp/5001"'
    path.write_text(text.replace('store = "embedded"', kubo))
    with pytest.raises(InvalidInputError, match="kubo_credentials"):
        SiteConfig.load(sites.cn.folder)
    path.write_text(
        text.replace('store = "embedded"', kubo + '\nkubo_credentials = "private/kubo"')
    )
    blocks = SiteConfig.load(sites.cn.folder).blocks
    assert blocks.kubo_credentials == sites.cn.folder / "private" / "kubo"


@pytest.mark.parametrize(("threshold", "holders"), [(1, 2), (2, 4), (4, 3), (2, 1), (8, 16)])
def test_a_quorum_is_more_than_half(threshold: int, holders: int) -> None:
    """2 <= t <= n, 2t > n, n <= 15; 2 of 3 and 15 of 15 are fine."""
    assert Quorum(threshold=2, holders=3) != Quorum(threshold=15, holders=15)
    with pytest.raises(InvalidInputError):
        Quorum(threshold=threshold, holders=holders)


# --- private files ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tls-key.pem", "signing-key.pem", "hpke-seed.bin"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(sites: TwoSites, name: str, mode: int) -> None:
    """Each private file of an identity is refused with any bit for group or others."""
    folder = sites.folder("cn", "custodian", "bank")
    assert Identity.load(folder).principal.name == "bank"
    (folder / name).chmod(mode)
    with pytest.raises(InvalidInputError, match=r"others can read .*chmod 600") as caught:
        Identity.load(folder)
    assert caught.value.reason == "KEY_READABLE"


@pytest.mark.parametrize("name", ["site-key.pem", "ca-key.pem"])
def test_a_site_key_that_others_can_read_is_refused(sites: TwoSites, name: str) -> None:
    """Nothing is issued with a site or CA key that is readable."""
    (sites.cn.folder / "private" / name).chmod(0o644)
    with pytest.raises(InvalidInputError, match="others can read"):
        sites.cn.issue("auditor", "x", now=now_utc())


def test_a_link_is_no_private_file(sites: TwoSites) -> None:
    """A link's own mode says nothing about its target, so it is refused."""
    folder = sites.folder("cn", "custodian", "bank")
    (folder / "signing-key.pem").rename(folder / "elsewhere")
    (folder / "signing-key.pem").symlink_to(folder / "elsewhere")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        Identity.load(folder)


def test_private_files_are_made_private_under_any_umask(tmp_path: Path) -> None:
    """Every private file of a fresh site has mode 0600 and its folders 0700."""
    old = os.umask(0)
    try:
        make_two_sites(tmp_path, enrolled=[("hk", "spv", "issuer")])
    finally:
        os.umask(old)
    private = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and ("key" in path.name or path.name == "hpke-seed.bin")
    ]
    assert len(private) == 2 * 2 + (1 + 3 + 3) * 3 + 3
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    for name in ("private", "identities"):
        assert (tmp_path / "cn" / name).stat().st_mode & 0o777 == 0o700


def test_parts_of_two_identities_do_not_mix(sites: TwoSites) -> None:
    """A certificate of another principal, or a TLS key of another certificate, is refused."""
    bank, vault = sites.folder("cn", "custodian", "bank"), sites.folder("cn", "vault", "main")
    shutil.copy(bank / "tls-key.pem", bank / "kept")
    shutil.copy(vault / "tls-key.pem", bank / "tls-key.pem")
    with pytest.raises(InvalidInputError, match="is not the key"):
        Identity.load(bank)
    shutil.copy(vault / "tls.pem", bank / "tls.pem")
    with pytest.raises(InvalidInputError, match="is the certificate of"):
        Identity.load(bank)


def test_no_private_key_of_one_side_is_on_the_other(sites: TwoSites) -> None:
    """Both folders byte by byte: no private file's content, whole or decoded, is elsewhere.

    The search is shown to work by planting one key on the other side.
    """
    for mine, theirs in ((sites.cn, sites.hk), (sites.hk, sites.cn)):
        secrets = _secrets(mine.folder)
        assert len(secrets) >= 3 * (2 + 3 * 3)
        assert _found(secrets, theirs.folder) == []
    stray = sites.folder("cn", "vault", "main") / "hpke-seed.bin"
    shutil.copy(stray, sites.hk.folder / "holders.bak")
    assert _found(_secrets(sites.cn.folder), sites.hk.folder) == ["holders.bak"]


def _secrets(folder: Path) -> set[bytes]:
    """Every private key of a site: raw, in hexadecimal, in base64, and as its PEM body."""
    found: set[bytes] = set()
    for path in folder.rglob("*"):
        if path.name == "hpke-seed.bin":
            raw = path.read_bytes()
        elif path.name.endswith("key.pem"):
            key = load_pem_private_key(path.read_bytes(), password=None)
            if isinstance(key, Ed25519PrivateKey):
                raw = key.private_bytes_raw()
            else:
                assert isinstance(key, EllipticCurvePrivateKey)
                raw = key.private_numbers().private_value.to_bytes(32, "big")
            found.add(path.read_bytes().split(b"-----")[2].strip())
        else:
            continue
        found |= {raw, raw.hex().encode(), base64.b64encode(raw)}
    return found


def _found(secrets: set[bytes], folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    )


def test_make_site_refuses_what_nobody_could_read_back(sites: TwoSites) -> None:
    """The administrator's own mistake (a foreign principal) is refused before it is published."""
    site = sites.hk.current()
    record = next(iter(sites.cn.current().principals.values()))
    with pytest.raises(EncodingError, match="not a principal of this site"):
        make_site(
            trust_domain=site.trust_domain,
            jurisdiction="hk",
            number=9,
            issued=now_utc(),
            site_key=read_signing_key(sites.hk.folder / "private" / "site-key.pem"),
            ca=site.ca,
            quorum=site.quorum,
            principals=[record],
        )
    assert isinstance(record, PrincipalRecord)
