"""Principals: one URI for each, and no second spelling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs.errors import EncodingError
from proofs.principal import ROLES, Principal

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
sides = st.sampled_from([(side, role) for side, roles in ROLES.items() for role in roles])


@settings(max_examples=100, deadline=None)
@given(st.lists(labels, min_size=1, max_size=3), sides, labels)
def test_a_principal_reads_back_from_its_uri(
    domain: list[str], side: tuple[str, str], name: str
) -> None:
    """parse is the inverse of uri."""
    principal = Principal(".".join(domain), *side, name)
    assert principal == Principal.parse(principal.uri)
    assert principal.uri == str(principal)


def test_the_server_name_follows_from_the_uri() -> None:
    """Each principal has one DNS name, which no other principal has."""
    principal = Principal.parse("spiffe://crossvault.example/cn/vault/main")
    assert principal.server_name == "main.vault.cn.crossvault.example"


def test_each_side_has_its_roles_only() -> None:
    """Custodian and vault are onshore, the SPV is in Hong Kong; the others are on both sides."""
    both = {"holder", "officer", "authority", "auditor"}
    assert {"cn": both | {"custodian", "vault"}, "hk": both | {"spv"}} == ROLES
    for side, role in [("hk", "custodian"), ("hk", "vault"), ("cn", "spv"), ("cn", "admin")]:
        with pytest.raises(EncodingError, match="roles"):
            Principal("d.example", side, role, "x")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://",
        "spiffe://d.example/cn/vault",
        "spiffe://d.example/cn/vault/",
        "spiffe://d.example/cn/vault/a/",
        "spiffe://d.example/cn/vault/a/b",
        "spiffe://d.example//vault/a",
        "SPIFFE://d.example/cn/vault/a",
        "spiffe://D.example/cn/vault/a",
        "spiffe://d.example/CN/vault/a",
        "spiffe://d.example/us/vault/a",
        "spiffe://d.example/cn/vault/A",
        "spiffe://d.example/cn/vault/a%20b",
        "spiffe://d.example/cn/vault/-a",
        "spiffe://d.example/cn/vault/a-",
        "spiffe://d.example/cn/vault/a.b",
        "spiffe://d.example/cn/vault/a\n",
        "spiffe://d.example/cn/vault/" + "a" * 64,
        "spiffe://d..example/cn/vault/a",
        "spiffe://.d/cn/vault/a",
        "spiffe://d.example:443/cn/vault/a",
        "spiffe://u@d.example/cn/vault/a",
        "spiffe://d.example/cn/vault/a?x",
        "spiffe://d.example/cn/vault/á",
        "spiffe://" + "d." * 200 + "d/cn/vault/a",
        "https://d.example/cn/vault/a",
    ],
)
def test_other_uris_are_refused(uri: str) -> None:
    """No empty part, escape, port, user, query, upper case or line break."""
    with pytest.raises(EncodingError, match="principal"):
        Principal.parse(uri)


def test_a_server_name_that_dns_cannot_hold_is_refused() -> None:
    """253 characters are the most."""
    domain = ".".join(["a" * 60] * 4)[: 253 - len("x.vault.cn.")]
    assert len(Principal(domain, "cn", "vault", "x").server_name) == 253
    with pytest.raises(EncodingError, match="253"):
        Principal(domain, "cn", "vault", "xy")
