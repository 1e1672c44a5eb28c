"""`crossvault manifest`: the custodian's signed list of the documents of one SPV and period.

What is shown before signing is read from the bytes that are signed. A file that is there already
is never written over: it may be the only copy of what others hold the serial of.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from proofs.canonical import format_instant
from proofs.ids import check_shown
from proofs.manifest import FILE_LIMIT, Manifest, ManifestFile
from proofs.schema import Schema
from proofs.selection import Period
from proofs.trust import LIMIT as TRUST_LIMIT
from proofs.trust import Trust
from vault.cli.lists import read_wish
from vault.cli.manifest_view import days, described, manifest_rows, present, schema_name, standing
from vault.cli.options import FILE, identity_option, say
from vault.cli.show import print_list, print_pairs
from vault.client import manifests, pinned_schemas
from vault.client.attestations import own_attestations
from vault.client.choice import ALL, Choice
from vault.client.serials import SerialJournal, open_serials
from vault.client.session import Session, at_vault
from vault.errors import ConflictError, InvalidInputError, NotAllowedError, VaultError
from vault.files import read_public, sync_folder
from vault.identity import Identity
from vault.pki import now_utc
from vault.v1 import document_pb2

DOCUMENTS = document_pb2.DESCRIPTOR.services_by_name["DocumentService"]
SUFFIX = ".manifest.json"


class _PeriodType(click.ParamType[Period]):
    """`2026-01-01..2026-06-30` as two days."""

    name = "period"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Period:
        if isinstance(value, tuple):
            return value
        day = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
        found = re.fullmatch(rf"{day}\.\.{day}", str(value))
        try:
            first, last = map(date.fromisoformat, found.groups() if found else ())
        except ValueError:
            self.fail(f"{value!r} is not a period such as 2026-01-01..2026-06-30", param, ctx)
        if first > last:
            self.fail("the period ends before it begins", param, ctx)
        return first, last


@click.group()
def manifest() -> None:
    """Signed lists of an SPV's documents: sign, show, list, register."""


@manifest.command()
@click.option("--spv", required=True, help="Whose portfolio it is; verifiers see the text.")
@click.option(
    "--period", type=_PeriodType(), required=True, metavar="FROM..TO", help="First and last day."
)
@click.option("--schema", "schema_text", required=True, help="Name or digest of a pinned schema.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    required=True,
    help="What can be proven over it; may be repeated.",
)
@click.option(
    "--select",
    "terms",
    multiple=True,
    metavar="TERM",
    help="Which documents, as in `crossvault prove --select`.  [default: spv=SPV, where the schema "
    "has a public attribute spv]",
)
@click.option(
    "--trust",
    "trust_file",
    type=FILE,
    help="A verifier's trust file: refuse what is out of your scope in it.",
)
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@click.option("-o", "output", type=FILE, required=True, help=f"Where it goes, as NAME{SUFFIX}.")
@identity_option
def sign(
    spv: str,
    period: Period,
    schema_text: str,
    attributes: tuple[str, ...],
    terms: tuple[str, ...],
    trust_file: Path | None,
    yes: bool,
    output: Path,
    caller: Path,
) -> None:
    """Sign the list of an SPV's documents for a period, and register it (custodians).

    Each row is made from an attestation whose signature was just checked. The serial is the next
    after the last that this machine or the vault knows for this SPV and period.
    """
    check_shown(spv, where="spv")
    _check_output(output)
    trust = Trust.parse(read_public(trust_file, limit=TRUST_LIMIT)) if trust_file else None
    with at_vault(caller, manifests.SERVICE, DOCUMENTS) as session:
        _require_custodian(session.identity)
        schema = pinned_schemas.find(session.identity, schema_text)
        with open_serials(session.identity) as journal:
            drafted = _draft(session, journal, schema, spv, period, attributes, terms)
            if trust is not None:
                manifests.check_scope(session.identity, drafted, trust)
            print_pairs(*manifest_rows(drafted.manifest, schema, session.identity.uri))
            if not yes:
                click.confirm("Sign the manifest?", abort=True, err=True)
            file = manifests.sign_draft(session.identity, journal, drafted)
        data = file.encode()
        _write_new(output, data)
        say(f"wrote {output} ({len(data):,} bytes): serial {drafted.manifest.serial}")
        _register(session, output, file, schema)


@manifest.command()
@click.argument("file", metavar="FILE", type=FILE)
@identity_option
def register(file: Path, caller: Path) -> None:
    """Hand a manifest of yours in again, to a vault that has not got it (custodians)."""
    found = _read(file)
    with at_vault(caller, manifests.SERVICE) as session:
        _require_custodian(session.identity)
        read, signer = manifests.verify(found.envelope, session.sites)
        if signer != session.identity.uri:
            raise NotAllowedError(f"{file}: signed by {signer}, not by you")
        _register(session, file, found, pinned_schemas.find(session.identity, read.schema))


@manifest.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--rows", "with_rows", is_flag=True, help="Also the documents, one a line.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def show(file: Path, with_rows: bool, as_json: bool, caller: Path) -> None:
    """What a manifest says, and who signed it.

    The signature is checked against the pinned site files, and the rows against what was signed.
    """
    identity = Identity.load(caller)
    found = _read(file)
    read, signer = manifests.verify(found.envelope, identity.sites())
    schema = pinned_schemas.find(identity, read.schema)
    listing = read.listing(found.rows, schema)
    if as_json:
        shown = described(read, signer)
        shown["rows"] = [
            {
                "asset": row.asset,
                "document": row.document,
                "version": row.version,
                "present": present(read.attributes, row.commitments),
            }
            for row in listing.rows
        ]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    print_pairs(*manifest_rows(read, schema, signer))
    if with_rows:
        print_list(
            ("asset 资产", "document 文件", "version 版本", "holds 含"),
            (
                (
                    row.asset,
                    row.document,
                    str(row.version),
                    ", ".join(present(read.attributes, row.commitments)),
                )
                for row in listing.rows
            ),
        )


@manifest.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def list_manifests(as_json: bool, caller: Path) -> None:
    """The registered manifests that you may see, the last first."""
    with at_vault(caller, manifests.SERVICE) as session:
        found = manifests.list_all(session.channel, session.sites)
        schemas = pinned_schemas.load_all(session.identity)
    if as_json:
        listed = [described(each.manifest, each.custodian) | standing(each) for each in found]
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
        return
    if not found:
        say("no manifests")
        return
    print_list(
        ("SPV", "period", "serial", "schema", "documents", "valid until", "stands", "manifest"),
        (
            (
                each.manifest.spv,
                days(each.manifest.period),
                str(each.manifest.serial),
                schema_name(schemas, each.manifest.schema),
                f"{each.manifest.count:,}",
                format_instant(each.manifest.valid_until),
                "yes 有效" if each.newest else "replaced 已替换",
                each.manifest.digest[:16],
            )
            for each in found
        ),
    )


def _draft(
    session: Session,
    journal: SerialJournal,
    schema: Schema,
    spv: str,
    period: Period,
    attributes: Sequence[str],
    terms: Sequence[str],
) -> manifests.Draft:
    wish = read_wish(session.identity, terms or _default_terms(schema, spv), None)
    choice = Choice.parse(wish.terms, schema, listed=wish.listed)
    now = now_utc()
    picked = choice.pick(own_attestations(session, schema, choice.opened), now=now)
    known = manifests.list_all(session.channel, session.sites)
    return manifests.draft(
        [each.attestation for each in picked],
        schema,
        spv=spv,
        period=period,
        serial=manifests.next_serial(journal, known, spv, period, own=session.identity.uri),
        attributes=attributes,
        now=now,
    )


def _default_terms(schema: Schema, spv: str) -> tuple[str, ...]:
    if any(each.name == "spv" and each.attribute_class == "public" for each in schema.attributes):
        return (f"spv={spv}",)
    raise click.UsageError(
        f"schema {schema.name} has no public attribute spv to go by: say which documents with "
        f"--select (`--select {ALL}` takes every document of the schema)"
    )


def _register(session: Session, path: Path, file: ManifestFile, schema: Schema) -> None:
    read = Manifest.parse(file.envelope.unverified_payload)
    versions = [(row.document, row.version) for row in read.listing(file.rows, schema).rows]
    try:
        digest = manifests.register(session.channel, file.envelope.encode(), versions)
    except VaultError:
        say(f"not registered: nothing can be proven over it before `manifest register {path}`")
        raise
    if digest != read.digest:
        raise VaultError("the vault registered another manifest than the one that was sent")
    say(f"registered: manifest {digest}")


def _require_custodian(identity: Identity) -> None:
    if identity.principal.role != "custodian":
        raise NotAllowedError("only a custodian signs manifests", reason="ROLE_NOT_SERVED")


def _read(path: Path) -> ManifestFile:
    return ManifestFile.parse(read_public(path, limit=FILE_LIMIT))


def _check_output(path: Path) -> None:
    if not path.name.endswith(SUFFIX):
        raise InvalidInputError(f"{path}: a manifest's file is named NAME{SUFFIX}")
    if path.exists():
        raise ConflictError(f"{path}: is there already; a manifest is never written over")


def _write_new(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise ConflictError(f"{path}: is there already; a manifest is never written over") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
