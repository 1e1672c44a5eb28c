"""What this machine knows that the vault has, and what a list that the vault shows must not lack.

Every put leaves its receipts here, behind the custodian's own attestation. A vault that leaves a
document out of a list, or shows an earlier version of it, changes what the custodian then signs: a
portfolio without its worst plant, or with the plant as it once was. Of documents that another
machine put nothing is known; nothing here is believed to be in the vault but what holders
acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from proofs import canonical
from proofs.attestation import Attestation
from proofs.canonical import Fields
from proofs.envelope import Envelope
from vault.client.put_log import RECEIPTS, STORED_FORMAT
from vault.errors import IntegrityError
from vault.files import MAX_FILE, read_public
from vault.identity import Identity
from vault.model import MAX_BATCH

_SKEW: Final = timedelta(minutes=5)
"""What ends so soon may have ended by the vault's clock."""


def known_versions(identity: Identity, schema: str, *, now: datetime) -> dict[str, Attestation]:
    """Of each document of a schema the newest version that this machine put and that still counts.

    Read before the vault is asked: what another process puts meanwhile is no lie of the vault's.
    """
    newest: dict[str, Attestation] = {}
    for path in sorted((identity.folder / RECEIPTS).glob("*.json")):
        for envelope in _attestations(read_public(path), str(path)):
            attested = Attestation.parse(Envelope.parse(envelope).unverified_payload)
            if attested.schema != schema or attested.valid_until <= now + _SKEW:
                continue
            before = newest.get(attested.document)
            if before is None or before.version < attested.version:
                newest[attested.document] = attested
    return newest


def require_known(known: Mapping[str, Attestation], shown: Iterable[Attestation]) -> None:
    """IntegrityError when what is shown lacks a document, or has an earlier version, that is known.

    A vault that was restored from a backup lacks it too, and must not be proven with either.
    """
    versions = {each.document: each.version for each in shown}
    lacking = [each for each in known.values() if versions.get(each.document, 0) < each.version]
    if lacking:
        first = lacking[0]
        raise IntegrityError(
            f"the vault does not show {len(lacking)} documents or versions that this machine put "
            f"there, version {first.version} of {first.document} about {first.asset} the first of "
            f"them: the holders' receipts are in `{RECEIPTS}`",
            reason="DOCUMENTS_LACKING",
        )


def _attestations(data: bytes, where: str) -> list[bytes]:
    fields = Fields(canonical.parse(data, limit=MAX_FILE, where=where), where)
    fields.literal("format", STORED_FORMAT)
    return [
        item.base64("attestation", 1 << 20)
        for item in fields.objects("documents", MAX_BATCH, least=1)
    ]
