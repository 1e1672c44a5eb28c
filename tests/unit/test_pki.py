"""Certificates: what a CA can and cannot vouch for, and which leaves are read."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.certificates import Rogue, names, rogue_leaf

from proofs.principal import Principal
from vault import pki
from vault.errors import InvalidInputError

NOW = pki.now_utc()
BANK = Principal("rwa.example", "cn", "custodian", "bank")
VAULT = Principal("rwa.example", "cn", "vault", "main")
H1 = Principal("rwa.example", "cn", "holder", "h1")


def make_ca(jurisdiction: str) -> Rogue:
    """A CA as `crossvault init` makes it."""
    key = pki.new_key()
    certificate = pki.issue_ca(
        key,
        trust_domain="rwa.example",
        jurisdiction=jurisdiction,
        not_before=NOW - pki.SKEW,
        not_after=NOW + timedelta(days=10),
    )
    return Rogue(key, certificate)


@pytest.fixture(scope="module")
def cn() -> Rogue:
    """The mainland's CA."""
    return make_ca("cn")


@pytest.fixture(scope="module")
def hk() -> Rogue:
    """Hong Kong's CA."""
    return make_ca("hk")


def issue(ca: Rogue, principal: Principal, life: timedelta = timedelta(days=1)) -> bytes:
    """A leaf of the ordinary kind."""
    return pki.encode_certificate(
        pki.issue_leaf(
            ca.key,
            ca.certificate,
            principal,
            pki.new_key().public_key(),
            not_before=NOW,
            not_after=NOW + life,
        )
    )


@pytest.mark.parametrize("principal", [BANK, VAULT, H1])
def test_a_leaf_reads_back_and_is_its_cas(cn: Rogue, hk: Rogue, principal: Principal) -> None:
    """The leaf names its principal; its own CA signed it and the other did not."""
    leaf = pki.read_leaf(issue(cn, principal))
    assert leaf.principal == principal
    pki.check_issued(leaf, cn.certificate)
    with pytest.raises(InvalidInputError) as caught:
        pki.check_issued(leaf, hk.certificate)
    assert caught.value.reason == "WRONG_CA"


def test_only_servers_have_a_server_name(cn: Rogue) -> None:
    """Vault and holders have exactly one DNS name, everyone else none; no address, no localhost."""
    for principal, expected in ((BANK, []), (VAULT, [VAULT.server_name]), (H1, [H1.server_name])):
        san = pki.read_leaf(issue(cn, principal)).certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        assert san.value.get_values_for_type(x509.DNSName) == expected
        assert san.value.get_values_for_type(x509.UniformResourceIdentifier) == [principal.uri]
        assert san.value.get_values_for_type(x509.IPAddress) == []


def test_validity_includes_both_ends(cn: Rogue) -> None:
    """A certificate of seconds is valid from its first to its last, and not beyond."""
    leaf = pki.read_leaf(issue(cn, BANK, timedelta(seconds=2)))
    second = timedelta(seconds=1)
    assert [leaf.valid_at(NOW + i * second) for i in (-1, 0, 2, 3)] == [False, True, True, False]


@pytest.mark.parametrize(
    "san",
    [
        names(),
        names("spiffe://rwa.example/cn/custodian/bank", "spiffe://rwa.example/cn/vault/main"),
        names("spiffe://rwa.example/cn/custodian/bank", dns=["main.vault.cn.rwa.example"]),
        names("spiffe://rwa.example/cn/custodian/bank", dns=["localhost"]),
        names("spiffe://rwa.example/cn/vault/main"),
        names("spiffe://rwa.example/cn/vault/main", dns=["h1.holder.cn.rwa.example"]),
        names("spiffe://rwa.example/cn/vault/main", dns=["main.vault.cn.rwa.example", "localhost"]),
        names(
            "spiffe://rwa.example/cn/vault/main", dns=["main.vault.cn.rwa.example"], ip="127.0.0.1"
        ),
        names("spiffe://rwa.example/cn/custodian/bank", email="a@b.example"),
        names("spiffe://rwa.example/hk/custodian/x"),
        names("spiffe://rwa.example/hk/vault/x", dns=["x.vault.hk.rwa.example"]),
        names("spiffe://rwa.example/cn/spv/x"),
        names("spiffe://rwa.example/cn/custodian/Bank"),
        names("spiffe://rwa.example/cn/custodian/bank/"),
        names("spiffe://rwa.example/cn/custodian/bank?x=1"),
        names("https://rwa.example/cn/custodian/bank"),
    ],
)
def test_other_names_are_refused(cn: Rogue, san: list[x509.GeneralName]) -> None:
    """Any name but the one URI, or a server's one DNS name, even signed by the right CA."""
    with pytest.raises(InvalidInputError) as caught:
        pki.read_leaf(rogue_leaf(cn, san).certificate_pem)
    assert caught.value.reason == "BAD_CERTIFICATE"


def test_other_usages_are_refused(cn: Rogue) -> None:
    """A custodian's certificate that could serve, a CA posing as a leaf, and no usage at all."""
    san = names(BANK.uri)
    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    assert pki.read_leaf(rogue_leaf(cn, san).certificate_pem).principal == BANK
    for forged in (
        rogue_leaf(cn, san, usages=both),
        rogue_leaf(cn, san, usages=[ExtendedKeyUsageOID.SERVER_AUTH]),
        rogue_leaf(cn, san, usages=None),
        rogue_leaf(cn, san, is_ca=True),
    ):
        with pytest.raises(InvalidInputError) as caught:
            pki.read_leaf(forged.certificate_pem)
        assert caught.value.reason == "BAD_CERTIFICATE"


def test_a_leaf_signs_no_leaf(cn: Rogue) -> None:
    """A custodian that signs a certificate with its own key gets nowhere."""
    bank = rogue_leaf(cn, names(BANK.uri))
    child = rogue_leaf(Rogue(bank.key, bank.certificate), names(VAULT.uri, dns=[VAULT.server_name]))
    with pytest.raises(InvalidInputError) as caught:
        pki.check_issued(pki.read_leaf(child.certificate_pem), cn.certificate)
    assert caught.value.reason == "WRONG_CA"


def test_a_ca_of_the_same_name_is_another_ca(cn: Rogue) -> None:
    """Equal names prove nothing: the signature decides."""
    twin = make_ca("cn")
    assert twin.certificate.subject == cn.certificate.subject
    with pytest.raises(InvalidInputError):
        pki.check_issued(pki.read_leaf(issue(twin, BANK)), cn.certificate)


def test_a_ca_cannot_name_servers_of_the_other_side(hk: Rogue) -> None:
    """Hong Kong's CA carries constraints that a TLS library enforces: its own names only."""
    constraints = hk.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees == [x509.DNSName("hk.rwa.example")]


@pytest.mark.parametrize("fault", ["no CA", "no limit", "other key", "not self-signed"])
def test_what_is_no_ca_is_refused(cn: Rogue, hk: Rogue, fault: str) -> None:
    """A leaf, a CA that can make CAs, a CA with an RSA-like other curve, a cross-signed one."""
    assert pki.check_ca(cn.certificate, where="ca") == cn.certificate
    key = ec.generate_private_key(ec.SECP384R1() if fault == "other key" else ec.SECP256R1())
    signer = hk.key if fault == "not self-signed" else key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    limit = 0 if fault != "no limit" else None
    constraints = x509.BasicConstraints(
        ca=fault != "no CA", path_length=limit if fault != "no CA" else None
    )
    usage = cn.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(constraints, critical=True)
        .add_extension(usage, critical=True)
        .sign(signer, hashes.SHA256())
    )
    with pytest.raises(InvalidInputError):
        pki.check_ca(certificate, where="ca")


def test_a_pem_holds_one_certificate_and_nothing_else(cn: Rogue) -> None:
    """A second certificate, text before or after, or junk: one reader would skip what another
    reads.
    """
    pem = issue(cn, BANK)
    assert pki.encode_certificate(pki.read_certificate(pem, where="x")) == pem
    for forged in (pem + pem, b"hello\n" + pem, pem + b"hello", b"", b"junk", pem * 100):
        with pytest.raises(InvalidInputError):
            pki.read_certificate(forged, where="x")


def test_only_p256_keys_serve_tls(cn: Rogue) -> None:
    """A key reads back; another curve, another kind and junk are refused."""
    key = pki.new_key()
    again = pki.decode_key(pki.encode_key(key), where="x")
    assert again.private_numbers() == key.private_numbers()
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for forged in (other, b"junk", pki.encode_certificate(cn.certificate)):
        with pytest.raises(InvalidInputError):
            pki.decode_key(forged, where="x")


def patched(pem: bytes, old: bytes, new: bytes) -> bytes:
    """The certificate with other bytes of the same length in its first such place."""
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    assert old in der
    assert len(old) == len(new)
    text = base64.encodebytes(der.replace(old, new, 1)).replace(b"\n", b"")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join((b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""))


EC_KEY = bytes.fromhex("06072a8648ce3d0201")
EC_SIGNATURE = bytes.fromhex("06082a8648ce3d040302")
VERSION_3 = bytes.fromhex("a003020102")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (EC_KEY, bytes.fromhex("0607008648ce3d0201")),
        (EC_SIGNATURE, bytes.fromhex("06082a8648ce3d04037f")),
        (VERSION_3, bytes.fromhex("a003020107")),
    ],
    ids=["key", "signature", "version"],
)
def test_algorithms_that_nobody_knows_are_refused(cn: Rogue, old: bytes, new: bytes) -> None:
    """A CA or leaf with a key, signature or version unknown to the library: our own error."""
    ca = patched(pki.encode_certificate(cn.certificate), old, new)
    with pytest.raises(InvalidInputError):
        pki.check_ca(pki.read_certificate(ca, where="ca"), where="ca")
    leaf = patched(issue(cn, BANK), old, new)
    with pytest.raises(InvalidInputError):
        pki.check_issued(pki.read_leaf(leaf), cn.certificate)
    if old == EC_KEY:
        # As a CA whose key nobody knows: it can have signed nothing.
        with pytest.raises(InvalidInputError) as caught:
            pki.check_issued(pki.read_leaf(issue(cn, BANK)), pki.read_certificate(ca, where="ca"))
        assert caught.value.reason == "WRONG_CA"


def test_a_name_of_an_unknown_kind_is_refused(cn: Rogue) -> None:
    """An X.400 address in the place of the URI: our own error."""
    uri = BANK.uri.encode()
    good = issue(cn, BANK)
    assert pki.read_leaf(good).principal == BANK
    forged = patched(good, b"\x86" + bytes([len(uri)]) + uri, b"\xa3" + bytes([len(uri)]) + uri)
    with pytest.raises(InvalidInputError):
        pki.read_leaf(forged)
