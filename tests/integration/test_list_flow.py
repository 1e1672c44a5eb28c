"""Proofs about many documents, over the wires: imported plants, one vault, six holders, real files.

Every step is a command; what leaves is checked by `crossproof` in a process of its own.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from support.cluster import Cluster
from support.plants import AUTHORED, MAPPING, SCHEMA, csv_bytes, plant
from support.sites import make_two_sites

from proofs.canonical import format_instant
from proofs.envelope import key_id
from proofs.trust import entry
from vault import cli
from vault.client import documents
from vault.client.session import at_vault
from vault.identity import Identity
from vault.pki import now_utc

COUNT = 60
OWNERLESS = {7, 19, 44}
TOTAL = sum(100 + number for number in range(1, COUNT + 1))
OWNERS = "each owner not in @listed where present"


@dataclass
class Field:
    """A folder of files, and the commands that fill it."""

    cluster: Cluster
    folder: Path

    def who(self, side: str, role: str, name: str) -> tuple[str, str]:
        return "--as", str(self.cluster.sites.folder(side, role, name))

    @property
    def bank(self) -> tuple[str, str]:
        return self.who("cn", "custodian", "bank")

    @property
    def spv(self) -> tuple[str, str]:
        return self.who("hk", "spv", "issuer")

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def crossvault(self, *arguments: str, code: int = 0) -> None:
        assert cli.run(list(arguments)) == code

    def crossproof(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", "from proofs.cli import main; main()", *arguments],
            cwd=self.folder,
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert done.returncode == code, done.stderr
        return done

    def verdict(self, file: str, *expected: str) -> dict[str, object]:
        done = self.crossproof(
            *("verify", file, "--trust", "trust.toml", "--set", "listed.set", "--json"), *expected
        )
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def documents(self) -> dict[str, str]:
        """Document ids of the plants by asset."""
        folder = self.cluster.sites.folder("cn", "custodian", "bank")
        with at_vault(folder, documents.SERVICE) as session:
            return {
                each.attestation.asset: each.attestation.document
                for each in documents.list_documents(session.channel, session.identity)
            }


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Both sites' processes, 60 plants of the bank's, a signed list, and an outsider's trust."""
    folder = tmp_path_factory.mktemp("field")
    with Cluster(make_two_sites(tmp_path_factory.mktemp("sites"))) as cluster:
        cluster.start()
        made = Field(cluster, folder)
        (folder / "plants.schema.json").write_bytes(AUTHORED)
        (folder / "plants.mapping.toml").write_text(MAPPING)
        rows = [
            plant(
                number,
                capacity=str(100 + number),
                fuel="Solar" if number % 2 else "Hydro",
                owner="" if number in OWNERLESS else f"Owner {number:03d} Co",
            )
            for number in range(1, COUNT + 1)
        ]
        (folder / "plants.csv").write_bytes(csv_bytes(rows))
        names = [f"Listed Person {number:03d}" for number in range(100)]
        (folder / "listed.txt").write_text("".join(f"{name}\n" for name in names))
        made.crossvault("schema", "add", made.path("plants.schema.json"), *made.bank)
        made.crossvault(
            *("import", made.path("plants.csv"), "--schema", SCHEMA.name),
            *("--mapping", made.path("plants.mapping.toml"), *made.bank),
        )
        made.crossvault(
            *("set", "add", "listed", made.path("listed.txt"), "--type", "name"),
            *("--source", "Made up", "-o", made.path("listed.set")),
            *made.who("hk", "authority", "lists"),
        )
        (folder / "trust.toml").write_text(trust_of(cluster))
        yield made


def trust_of(cluster: Cluster) -> str:
    """What an outsider pins: the bank and the authority of the list."""
    now = now_utc().replace(microsecond=0)

    def pinned(side: str, role: str, name: str) -> dict[str, object]:
        identity = Identity.load(cluster.sites.folder(side, role, name))
        key = identity.signing_key.public_key().public_bytes_raw()
        return {
            "name_zh": "示例",
            "name_en": name,
            "key": base64.b64encode(key).decode(),
            "valid_from": format_instant(now - timedelta(hours=1)),
            "valid_until": format_instant(now + timedelta(days=20)),
        }

    authority = pinned("hk", "authority", "lists")
    scope = {"schemas": [SCHEMA.digest], "assets": ["cn-plant-*"]}
    keyid = key_id(base64.b64decode(str(authority["key"])))
    return "\n".join(
        [
            entry("custodian", pinned("cn", "custodian", "bank") | scope),
            entry("authority", authority),
            entry("set", {"name": "listed", "authority": keyid, "least_version": 1}),
        ]
    )


FOR = ("--audience", "Harbour Fund", "--purpose", "Quarterly report", "--basis", "PIPL Art. 38")


def test_a_custodian_proves_about_all_its_plants(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sum, an average, a count and a fact about each owner that there is; verified outside."""
    facts = (f"sum(capacity) >= {TOTAL - 5} MW", "sum(capacity) >= count() * 100 MW", OWNERS)
    asked = [word for fact in (*facts, "count() >= 60") for word in ("--fact", fact)]
    field.crossvault(
        *("prove", "--schema", SCHEMA.name, "--select", "all", *asked, *FOR),
        *("-o", field.path("own.proof.json"), *field.bank),
    )
    said = capsys.readouterr().err
    assert "documents" in said
    assert "[3 left out]" in said
    verdict = field.verdict("own.proof.json", "--audience", "Harbour Fund")
    assert verdict["verified"] is True
    selection = verdict["selection"]
    assert isinstance(selection, dict)
    assert selection["count"] == COUNT
    assert selection["chosen_by"] == "prover"


def test_a_false_sum_is_told_to_the_custodian_alone(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file is written for it, and nothing is on record as issued."""
    field.crossvault(
        *("prove", "--schema", SCHEMA.name, "--select", "asset=cn-plant-*", *FOR),
        *("--fact", f"sum(capacity) >= {TOTAL + 1} MW"),
        *("-o", field.path("false.proof.json"), *field.bank),
        code=1,
    )
    assert "the fact is false" in capsys.readouterr().err
    assert not (field.folder / "false.proof.json").exists()


def test_documents_are_chosen_by_what_was_attested(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """By public attributes, which the vault opens and the client checks; by a file of assets."""
    (field.folder / "three.txt").write_text("cn-plant-3\ncn-plant-1\ncn-plant-2\n")
    for terms, count in (
        (("--select", "plant_id=7", "--select", "plant_id=8"), 2),
        (("--select", f"@{field.path('three.txt')}"), 3),
        (("--select", "asset=cn-plant-1*", "--select", "as_of=2018-01-01..2018-12-31"), 11),
    ):
        field.crossvault(
            *("prove", "--schema", SCHEMA.name, *terms, *FOR),
            *("--fact", f"count() >= {count}", "--fact", "each capacity >= 100 MW"),
            *("-o", field.path("chosen.proof.json"), *field.bank),
        )
        verdict = field.verdict("chosen.proof.json", "--audience", "Harbour Fund")
        assert verdict["selection"]["count"] == count  # type: ignore[index]
    for terms, reason in (
        (("--select", "fuel=Solar"), "public"),
        (("--select", "asset=de-*"), "meant"),
    ):
        capsys.readouterr()
        field.crossvault(
            *("prove", "--schema", SCHEMA.name, *terms, *FOR),
            *(
                "--fact",
                "each capacity >= 100 MW",
                "-o",
                field.path("none.proof.json"),
                *field.bank,
            ),
            code=1,
        )
        assert reason in capsys.readouterr().err


def test_an_spv_asks_about_a_list_and_fetches_the_answer(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the asker's list of assets to a verdict over exactly these."""
    assets = [f"cn-plant-{number}" for number in range(1, 31)]
    (field.folder / "assets.txt").write_text("\n".join(assets))
    done = field.crossproof(
        *("request", "new", "--select", "plants.schema.json", "--assets", "assets.txt"),
        *("--fact", "sum(capacity) >= 3000 MW", "--fact", OWNERS, "--set", "listed.set"),
        *("--audience", "Harbour Fund", "--purpose", "Note 2027", "-o", "list.request.json"),
    )
    digest = done.stdout.strip()
    field.crossvault("request", "submit", field.path("list.request.json"), *field.spv)
    for who in (field.bank, field.spv):
        field.crossvault("request", "list", *who)
        assert "30 assets" in capsys.readouterr().out
    field.crossvault("request", "show", digest, *field.spv)
    assert "and 10 more" in capsys.readouterr().out
    field.crossvault("request", "show", digest[:16], *field.bank)
    shown = capsys.readouterr().out
    assert "30 assets, each of which it names" in shown
    assert "the request, which names every asset" in shown
    assert shown.count("[holds]") == 2
    field.crossvault("request", "approve", digest, "--basis", "PIPL", "--yes", *field.bank)
    field.crossvault("request", "fetch", digest, "-o", field.path("list.proof.json"), *field.spv)
    verdict = field.verdict("list.proof.json", "--request", "list.request.json")
    selection = verdict["selection"]
    assert isinstance(selection, dict)
    assert (selection["count"], selection["chosen_by"]) == (30, "request")
    done = field.crossproof(
        *("request", "new", "--select", "plants.schema.json", "--fact", "sum(capacity) >= 6000 MW"),
        *("--audience", "Harbour Fund", "--purpose", "Note 2027", "-o", "free.request.json"),
    )
    digest = done.stdout.strip()
    field.crossvault("request", "submit", field.path("free.request.json"), *field.spv)
    approve = ("request", "approve", digest, "--basis", "PIPL", "--yes", *field.bank)
    field.crossvault(*approve, code=1)
    assert "yours to choose" in capsys.readouterr().err
    field.crossvault("request", "show", digest, *field.bank)
    said = capsys.readouterr()
    assert "a list that the custodian chooses" in said.out
    assert "60 documents of yours" in said.err
    field.crossvault("request", "show", digest, "--select", "asset=cn-plant-1", *field.bank)
    assert "the fact is false" in capsys.readouterr().out
    field.crossvault(*approve, "--select", "all")
    field.crossvault("request", "fetch", digest, "-o", field.path("free.proof.json"), *field.spv)
    verdict = field.verdict("free.proof.json", "--request", "free.request.json")
    assert verdict["selection"]["chosen_by"] == "prover"  # type: ignore[index]


def test_a_list_with_an_unknown_asset_is_nobodys(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """The custodian that has the other assets does not see the request; the asker sees pending."""
    (field.folder / "more.txt").write_text("cn-plant-1\ncn-plant-9999\n")
    done = field.crossproof(
        *("request", "new", "--select", "plants.schema.json", "--assets", "more.txt"),
        *("--fact", "sum(capacity) >= 200 MW", "--audience", "A", "--purpose", "P"),
        *("-o", "more.request.json"),
    )
    digest = done.stdout.strip()
    field.crossvault("request", "submit", field.path("more.request.json"), *field.spv)
    assert "pending" in capsys.readouterr().err
    field.crossvault("request", "show", digest, *field.bank, code=1)


def test_an_spv_asks_about_two_plants_by_alias(
    field: Field, capsys: pytest.CaptureFixture[str]
) -> None:
    """One request, one grant and one bundle for two documents; an own proof likewise."""
    done = field.crossproof(
        *("request", "new", "--document", "a", "cn-plant-1", "plants.schema.json"),
        *("--document", "b", "cn-plant-2", "plants.schema.json"),
        *("--fact", "a.capacity + b.capacity >= 203 MW", "--fact", "b.owner not in @listed"),
        *("--set", "listed.set", "--audience", "Harbour Fund", "--purpose", "Note 2027"),
        *("-o", "two.request.json"),
    )
    digest = done.stdout.strip()
    field.crossvault("request", "submit", field.path("two.request.json"), *field.spv)
    approve = ("request", "approve", digest, "--basis", "PIPL", "--yes", *field.bank)
    field.crossvault(*approve, "--select", "all", code=2)
    field.crossvault(*approve)
    field.crossvault("request", "fetch", digest, "-o", field.path("two.proof.json"), *field.spv)
    verdict = field.verdict("two.proof.json", "--request", "two.request.json")
    assert [each["alias"] for each in verdict["documents"]] == ["a", "b"]  # type: ignore[union-attr]
    stored = field.documents()
    field.crossvault(
        *("prove", f"x={stored['cn-plant-3']}", f"y={stored['cn-plant-4']}", *FOR),
        *("--fact", "x.capacity <= y.capacity", "-o", field.path("xy.proof.json"), *field.bank),
    )
    verdict = field.verdict("xy.proof.json", "--audience", "Harbour Fund")
    assert verdict["facts"] == ["x.capacity <= y.capacity"]
