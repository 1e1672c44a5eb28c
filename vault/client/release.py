"""A requester's side of a release: ask, collect, check, open.

A request and the seed of the key made for it are kept in the identity's folder before the request
is sent, so that an answer that was lost can be fetched again and nobody else can open what the
holders seal. `fetch` believes nobody: shares are checked against the signed key manifest, blocks
against their CIDs, values against the attested commitments. It writes a folder whole or not at
all.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from proofs import envelope
from proofs.canonical import format_instant
from proofs.envelope import Envelope, PayloadType
from vault.client.combine import CombinedPart, combine_part
from vault.client.evidence import Evidence, check_evidence
from vault.client.openings import (
    AttestationMismatchError,
    OpenedRecord,
    check_files,
    check_record,
)
from vault.client.part_folder import PartFolder, Progress, WrittenPart
from vault.client.release_link import Collected, ReleaseLink
from vault.client.safe_names import safe_file_name
from vault.crypto.cids import Cid
from vault.crypto.content import FileInfo, OpenedPart, open_part
from vault.crypto.hpke import HpkeKey
from vault.crypto.root import decode_root
from vault.errors import ConflictError, IntegrityError, NotFoundError
from vault.files import create_private_folder, read_private, read_public, write_private
from vault.identity import Identity
from vault.model import Part
from vault.signed.release_request import ReleaseRequest
from vault.sites import SiteSet
from vault.storage.blocks import BlockSource
from vault.storage.readahead import ReadAhead

FOLDER: Final = "releases"
REQUEST: Final = "request.json"
SEED: Final = "recipient-seed.bin"
DEFAULT_LIFETIME: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class OwnRelease:
    """A request that this identity signed, and the key that answers to it are sealed to."""

    request: ReleaseRequest
    envelope: bytes
    key: HpkeKey = field(repr=False)
    folder: Path


@dataclass(frozen=True, slots=True)
class Fetched:
    """A part that was opened, checked and written, and what each holder's answer came to."""

    evidence: Evidence
    combined: CombinedPart
    record: OpenedRecord
    written: WrittenPart


def make_release(
    identity: Identity,
    *,
    document: str,
    version: int,
    attestation: str,
    part: Part,
    purpose: str,
    legal_basis: str,
    now: datetime,
    lifetime: timedelta = DEFAULT_LIFETIME,
) -> OwnRelease:
    """Sign a request under a fresh key and keep both in the identity's folder; sends nothing.

    Raises what `ReleaseRequest.build` raises.
    """
    key = HpkeKey.generate()
    request = ReleaseRequest.build(
        requester=identity.principal,
        document=document,
        version=version,
        attestation=attestation,
        part=part,
        purpose=purpose,
        legal_basis=legal_basis,
        recipient_key=key.public,
        created=now,
        expires=now + lifetime,
    )
    signed = envelope.sign(PayloadType.RELEASE_REQUEST, request.data, identity.signing_key)
    folder = identity.folder / FOLDER / request.digest
    create_private_folder(folder)
    # The seed first: a request without it could be approved and never be opened.
    write_private(folder / SEED, key.seed)
    write_private(folder / REQUEST, signed)
    return OwnRelease(request, signed, key, folder)


def own_releases(identity: Identity) -> list[OwnRelease]:
    """Every request kept in the identity's folder, oldest first."""
    base = identity.folder / FOLDER
    found = (
        [_load(path) for path in base.iterdir() if (path / REQUEST).exists()]
        if (base.is_dir())
        else []
    )
    return sorted(found, key=lambda own: (own.request.created, own.request.digest))


def find_own(identity: Identity, prefix: str) -> OwnRelease:
    """The request whose digest begins with `prefix`; NotFoundError, ConflictError for several."""
    found = [own for own in own_releases(identity) if own.request.digest.startswith(prefix)]
    if not found:
        raise NotFoundError(
            f"no release request of this identity begins with {prefix[:64]!a}; "
            f"`crossvault release list` shows them"
        )
    if len(found) > 1:
        raise ConflictError(f"{len(found)} release requests begin with {prefix[:64]!a}")
    return found[0]


def collect(own: OwnRelease, link: ReleaseLink, sites: SiteSet) -> tuple[Evidence, Collected]:
    """Ask for the shares, and check everything but them.

    Raises what `check_evidence` and the vault's answer raise.
    """
    collected = link.collect(own.request.digest)
    evidence = check_evidence(
        own.request,
        sites,
        attestation=collected.attestation,
        key_manifest=collected.key_manifest,
        schema=collected.schema,
        root=collected.root,
        personal_salt=collected.personal_salt,
    )
    return evidence, collected


def fetch(
    own: OwnRelease,
    link: ReleaseLink,
    sites: SiteSet,
    target: Path,
    *,
    source: BlockSource | None = None,
    started: Callable[[Evidence, CombinedPart, int], None] | None = None,
    progress: Progress | None = None,
    keep_mismatch: bool = False,
) -> Fetched:
    """Collect, open, check and write the part into the new folder `target`.

    Args:
        source: where blocks are read; the vault when not given, else a node of one's own side.
        started: told what was found, and how many bytes of attachments are to come.
        progress: told bytes as they are written.
        keep_mismatch: write also what is not as attested, each attribute marked.

    Raises:
        NotEnoughSharesError: no quorum of good shares; names every holder.
        AttestationMismatchError: the custodian stored something else than it attested.
        ConflictError: `target` exists.
        IntegrityError, UnavailableError, NotFoundError: a block that is wrong or missing.
    """
    with PartFolder(target) as folder:
        evidence, collected = collect(own, link, sites)
        combined = combine_part(evidence, own.key, collected.holders)
        through_vault = link.blocks(own.request.digest)
        with closing(through_vault), ExitStack() as stack:
            blocks = _Blocks(source or through_vault, evidence)
            root = blocks.get(evidence.root)
            with blocks.blame():
                part_root = decode_root(root)
            if source is None:
                through_vault.expect(list(part_root.links()))
            else:
                ahead = stack.enter_context(ReadAhead(source, part_root.links()))
                blocks = _Blocks(ahead, evidence)
            with blocks.blame():
                opened = open_part(combined.key, root, blocks.get)
            record = check_record(evidence, opened.record)
            if not keep_mismatch:
                record.require_agreement(evidence)
            total = sum(entry.length for entry in record.record.attachments)
            if started is not None:
                started(evidence, combined, total)
            with blocks.blame():
                files = _write_files(folder, evidence, record, opened, progress)
        folder.write_attributes(describe(evidence, record, files))
        return Fetched(evidence, combined, record, folder.finish())


def describe(
    evidence: Evidence, record: OpenedRecord, files: list[tuple[str, FileInfo]]
) -> dict[str, Any]:
    """The content of attributes.json."""
    request, attestation = evidence.request, evidence.attestation
    return {
        "format": "crossvault/released-part/v1",
        "document": request.document,
        "version": request.version,
        "part": request.part,
        "asset": attestation.asset,
        "schema": {"name": evidence.schema.name, "digest": evidence.schema.digest},
        "attestation": attestation.digest,
        "attested_by": evidence.custodian.uri,
        "attested_at": format_instant(attestation.attested_at),
        "as_of": str(attestation.as_of),
        "request": request.digest,
        "purpose": request.purpose,
        "legal_basis": request.legal_basis,
        "agrees_with_attestation": not record.problems,
        "problems": list(record.problems),
        "attributes": [
            {
                "name": each.attribute.name,
                "label": {"en": each.attribute.label_en, "zh": each.attribute.label_zh},
                "class": str(each.attribute.attribute_class),
                "type": str(each.attribute.type),
                "value": each.text,
                "agrees": each.agrees,
            }
            for each in record.attributes
        ],
        "absent": list(record.absent),
        "attachments": [
            {
                "file": f"attachments/{name}",
                "name": info.name,
                "media_type": info.media_type,
                "length": info.length,
            }
            for name, info in files
        ],
    }


def _write_files(
    folder: PartFolder,
    evidence: Evidence,
    record: OpenedRecord,
    opened: OpenedPart,
    progress: Progress | None,
) -> list[tuple[str, FileInfo]]:
    if opened.attachment_count != len(record.record.attachments):
        raise IntegrityError("the part has another number of files than its record lists")
    written: list[tuple[str, FileInfo]] = []
    for number, attachment in enumerate(opened.attachments(), start=1):
        name = safe_file_name(number, attachment.info.name)
        folder.write_file(name, attachment.pieces(), progress or _silent)
        written.append((name, attachment.info))
    check_files(evidence, record.record, [info for _, info in written])
    return written


class _Blocks:
    """Blocks for decryption, and whose fault it is when something does not decrypt.

    A block that a source cannot give is the source's. Bytes that have the attested CID and do not
    decrypt under the attested key were made so by the custodian.
    """

    def __init__(self, source: BlockSource, evidence: Evidence) -> None:
        self._source = source
        self._evidence = evidence
        self._failed = False

    def get(self, cid: Cid) -> bytes:
        """The block; every source hashes what it hands out."""
        try:
            return self._source.get(cid)
        except BaseException:
            self._failed = True
            raise

    def blame(self) -> _Blame:
        """A `with` that turns what does not decrypt into AttestationMismatchError."""
        return _Blame(self)

    def judge(self, error: BaseException | None) -> None:
        """Raise for an error that no source is to blame for."""
        if isinstance(error, AttestationMismatchError) or self._failed:
            return
        if isinstance(error, IntegrityError):
            raise AttestationMismatchError(self._evidence.custodian.uri, [str(error)]) from error


class _Blame:
    def __init__(self, blocks: _Blocks) -> None:
        self._blocks = blocks

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._blocks.judge(error)


def _load(folder: Path) -> OwnRelease:
    signed = read_public(folder / REQUEST)
    request = ReleaseRequest.parse(Envelope.parse(signed).unverified_payload)
    key = HpkeKey(read_private(folder / SEED))
    if key.public != request.recipient_key or folder.name != request.digest:
        raise IntegrityError(f"{folder}: seed and request do not belong together")
    return OwnRelease(request, signed, key, folder)


def _silent(_: int) -> None:
    """Nobody watches."""
