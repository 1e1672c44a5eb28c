"""`crossvault release`: a part of a document in plain, when those who must have said so.

A requester asks, looks and fetches; officers of each side list, read and decide. What an officer
reads comes from the signed bytes, verified on the officer's own machine.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console

from vault.cli.options import FILE, FOLDER, SPAN, identity_option, say
from vault.cli.release_view import (
    describe_request,
    print_answers,
    print_fetched,
    print_findings,
    print_reports,
    print_request,
    print_states,
    short,
    transfer_bar,
)
from vault.cli.show import print_list
from vault.client import approve as officers
from vault.client import release as releases
from vault.client.attested import DOCUMENTS, own_attested, read_attested
from vault.client.combine import CombinedPart, NotEnoughSharesError
from vault.client.evidence import Evidence
from vault.client.part_folder import Progress
from vault.client.release_link import open_link
from vault.client.session import at_vault
from vault.errors import ConflictError, InvalidInputError, UnavailableError, VaultError
from vault.files import read_public
from vault.identity import Identity
from vault.model import PARTS, Part
from vault.pki import now_utc
from vault.signed.approval import Decision
from vault.storage.blocks import BlockSource
from vault.storage.kubo import KuboSource

BUNDLE_LIMIT = 4 << 20


@click.group()
def release() -> None:
    """Open a part: request, list, show, approve, deny, fetch."""


@release.command()
@click.argument("source", metavar="ID|FILE")
@click.option(
    "--part",
    type=click.Choice(PARTS),
    default="asset",
    show_default=True,
    help="Personal is for the custodian alone.",
)
@click.option("--purpose", required=True, help="What it is for; officers of both sides read it.")
@click.option("--basis", required=True, help="The legal basis; kept in every record.")
@click.option("--version", type=click.IntRange(1), help="By default the newest.")
@click.option(
    "--expires",
    "life",
    type=SPAN,
    default="7d",
    show_default=True,
    metavar="SPAN",
    help="Until when holders may release.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def request(
    source: str,
    part: Part,
    purpose: str,
    basis: str,
    version: int | None,
    life: timedelta,
    as_json: bool,
    caller: Path,
) -> None:
    """Ask for a part of a document.

    A custodian names its document by ID. Anyone else gives a FILE with the attestation: a proof
    bundle about the document, or the attestation itself.
    """
    identity = Identity.load(caller)
    sites = identity.sites()
    path = Path(source)
    if path.exists():
        attested = read_attested(read_public(path, limit=BUNDLE_LIMIT), sites)
        if version not in (None, attested.version):
            raise InvalidInputError(f"{path} is about version {attested.version}, not {version}")
    elif identity.principal.role == "custodian":
        with at_vault(caller, DOCUMENTS) as session:
            attested = own_attested(session, source, version)
    else:
        raise InvalidInputError(
            f"{source}: no such file; give the proof bundle or the attestation of the document"
        )
    own = releases.make_release(
        identity,
        document=attested.document,
        version=attested.version,
        attestation=attested.digest,
        part=part,
        purpose=purpose,
        legal_basis=basis,
        now=now_utc(),
        lifetime=life,
    )
    try:
        with open_link(identity, sites) as link:
            _, answers = link.create(own.envelope)
    except UnavailableError as error:
        raise UnavailableError(
            f"{error}; the request is kept: `crossvault release show {own.request.digest[:16]}` "
            f"hands it in again"
        ) from None
    if as_json:
        holders = {each.holder: str(each.state) for each in answers}
        click.echo(json.dumps(describe_request(own.request, holders=holders), ensure_ascii=False))
        return
    print_request(own.request, signed_by="yours 本人")
    print_answers(answers)
    say(f"next: officers of {' and '.join(own.request.sides)} decide; then")
    say(f"  crossvault release fetch {own.request.digest[:16]} -o FOLDER")


@release.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@identity_option
def list_releases(as_json: bool, caller: Path) -> None:
    """Your own requests; for officers, those at their side's holders."""
    identity = Identity.load(caller)
    if identity.principal.role == "officer":
        listed = officers.list_pending(identity, identity.sites(), now_utc())
        found = [
            describe_request(
                each.request, holders={uri: str(state) for uri, state in each.states.items()}
            )
            for each in listed.requests
        ]
        for problem in listed.problems:
            say(f"{short(problem.holder)}: {problem.problem}")
    else:
        with open_link(identity, identity.sites()) as link:
            known = {each.digest: each.quorum_released for each in link.list_own()}
        found = [
            describe_request(
                own.request,
                handed_in=own.request.digest in known,
                expired=now_utc() >= own.request.expires,
                quorum_released=known.get(own.request.digest, False),
            )
            for own in releases.own_releases(identity)
        ]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not found:
        say("no releases")
        return
    print_list(
        ("release 申请", "part", "document 文件", "requester 申请人", "purpose 目的", "state 状态"),
        [
            (
                each["digest"][:16],
                each["part"],
                f"{each['document'][:8]}… v{each['version']}",
                short(each["requester"]),
                each["purpose"],
                _state_line(each),
            )
            for each in found
        ],
    )


@release.command()
@click.argument("digest")
@identity_option
def show(digest: str, caller: Path) -> None:
    """One request, from its signed bytes, and its state at holders."""
    identity = Identity.load(caller)
    sites = identity.sites()
    if identity.principal.role == "officer":
        pending = officers.find_pending(officers.list_pending(identity, sites, now_utc()), digest)
        print_request(pending.request, signed_by="verified against the pinned site file 已验证")
        print_states(pending)
        return
    own = releases.find_own(identity, digest)
    print_request(own.request, signed_by="yours 本人")
    with open_link(identity, sites) as link:
        _, answers = link.create(own.envelope)
    print_answers(answers)


@release.command()
@click.argument("digest")
@click.option("--note", help="Kept with the decision; the requester may read it.")
@click.option("--expires", "life", type=SPAN, metavar="SPAN", help="Ends the approval earlier.")
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@identity_option
def approve(digest: str, note: str | None, life: timedelta | None, yes: bool, caller: Path) -> None:
    """Approve exactly this request (officers).

    One signed decision goes to every holder of your side.
    """
    _decide(caller, digest, "approve", note=note, life=life, yes=yes)


@release.command()
@click.argument("digest")
@click.option("--note", help="Kept with the decision; the requester may read it.")
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@identity_option
def deny(digest: str, note: str | None, yes: bool, caller: Path) -> None:
    """Deny a request (officers).

    One signed decision goes to every holder of your side; one denial outweighs all approvals.
    It comes too late for a holder that has released.
    """
    _decide(caller, digest, "deny", note=note, life=None, yes=yes)


@release.command()
@click.argument("digest")
@click.option("-o", "output", type=FOLDER, required=True, help="A folder that does not exist yet.")
@click.option(
    "--keep-mismatch",
    is_flag=True,
    help="Write also what the custodian stored against its own attestation, each value marked.",
)
@click.option(
    "--kubo-api",
    envvar="CROSSVAULT_KUBO_API",
    show_envvar=True,
    help="Read blocks from your own side's node, such as /ip4/127.0.0.1/tcp/5001.",
)
@click.option(
    "--kubo-credentials",
    envvar="CROSSVAULT_KUBO_CREDENTIALS",
    show_envvar=True,
    type=FILE,
    help="The file with that node's NAME:SECRET.",
)
@identity_option
def fetch(
    digest: str,
    output: Path,
    keep_mismatch: bool,
    kubo_api: str | None,
    kubo_credentials: Path | None,
    caller: Path,
) -> None:
    """Collect the shares, open the part, and write a folder.

    Every share, block and value is checked against what the custodian signed.
    """
    identity = Identity.load(caller)
    sites = identity.sites()
    own = releases.find_own(identity, digest)
    with ExitStack() as stack:
        source = _own_node(stack, kubo_api, kubo_credentials)
        link = stack.enter_context(open_link(identity, sites))
        bars: list[Progress] = []

        def started(evidence: Evidence, combined: CombinedPart, total: int) -> None:
            print_findings(combined.findings)
            bars.append(stack.enter_context(transfer_bar(total, "decrypting 解密")))

        try:
            fetched = releases.fetch(
                own,
                link,
                sites,
                output,
                source=source,
                started=started,
                progress=lambda count: bars[0](count),
                keep_mismatch=keep_mismatch,
            )
        except NotEnoughSharesError as error:
            # The table names every holder, so the line below it need not.
            print_findings(error.findings, console=Console(stderr=True))
            raise ConflictError(error.short, reason=error.reason) from None
    print_fetched(fetched)
    for dropped in fetched.combined.dropped:
        say(f"warning: {short(dropped.holder)}: {dropped.problem}")
    say(f"wrote {fetched.written.folder}")
    fetched.record.require_agreement(fetched.evidence)


def _decide(
    caller: Path,
    digest: str,
    decision: Decision,
    *,
    note: str | None,
    life: timedelta | None,
    yes: bool,
) -> None:
    identity = Identity.load(caller)
    sites = identity.sites()
    pending = officers.find_pending(officers.list_pending(identity, sites, now_utc()), digest)
    print_request(pending.request, signed_by="verified against the pinned site file 已验证")
    if not yes:
        click.confirm(f"{decision} this request as {identity.uri}?", abort=True, err=True)
    now = now_utc()
    signed = officers.sign_decision(
        identity,
        pending.request,
        decision=decision,
        note=note,
        now=now,
        expires=None if life is None else now + life,
    )
    reports = officers.send_decision(identity, sites, signed)
    print_reports(reports)
    taken = sum(each.state is not None for each in reports)
    quorum = sites.quorum(identity.principal.jurisdiction)
    # A denial is worth as much as the holders that are left could not release without it.
    needed = quorum.threshold if decision == "approve" else quorum.holders - quorum.threshold + 1
    if taken < needed:
        raise VaultError(
            f"only {taken} of {len(reports)} holders took the decision, {needed} are needed; "
            f"try again when the others are back",
            reason="DECISION_NOT_TAKEN",
        )
    say(f"{decision}: taken by {taken} of {len(reports)} holders")


def _own_node(
    stack: ExitStack, address: str | None, credentials: Path | None
) -> BlockSource | None:
    if address is None:
        return None
    if credentials is None:
        raise InvalidInputError("--kubo-api needs --kubo-credentials FILE")
    node = KuboSource(address, credentials)
    stack.callback(node.close)
    return node


def _state_line(described: dict[str, object]) -> str:
    holders = described.get("holders")
    if isinstance(holders, dict):
        counts = {
            state: list(holders.values()).count(state) for state in sorted(set(holders.values()))
        }
        return ", ".join(f"{count} {state}" for state, count in counts.items())
    if described["expired"]:
        return "expired 已过期"
    if not described["handed_in"]:
        return "not handed in 未提交"
    return "quorum released 已释放" if described["quorum_released"] else "waiting 待批准"
