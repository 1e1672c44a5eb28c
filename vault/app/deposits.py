"""A key holder's side of a put: open one's own shares, check them, keep them, sign a receipt.

The vault is believed in nothing but its wish to deposit. The holder checks the custodian's
signatures itself, that the manifest lists it at its place under its own key, and that each share
is the one whose digest the custodian signed. It never overwrites: the same attestation and
manifest again get the same receipt, another manifest of a known attestation is refused. A deposit
that the vault's catalogue does not have a day later is dropped, after asking.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from proofs import envelope
from proofs.attestation import Attestation
from proofs.envelope import Envelope, PayloadType
from proofs.errors import CrossproofError, SignatureError
from proofs.principal import Principal
from vault.crypto import hpke
from vault.crypto.contexts import store_info
from vault.crypto.hpke import HpkeKey
from vault.crypto.shares import Share, share_digest
from vault.errors import ConflictError, IntegrityError, InvalidInputError, NotAllowedError
from vault.model import MAX_BATCH, Part, Side
from vault.ports import Clock, Deposit
from vault.signed.manifest import KeyManifest
from vault.signed.receipt import DepositReceipt
from vault.sites import PrincipalRecord, SiteSet
from vault.storage.holder_store import HolderStore, NewDeposit, StoredDeposit

UNCONFIRMED_FOR: Final = timedelta(days=1)
_ASKED_AT_ONCE: Final = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HolderKeys:
    """What a holder process is: its principal, the key it opens with, the key it signs with."""

    principal: Principal
    hpke: HpkeKey
    signing: Ed25519PrivateKey

    @property
    def side(self) -> Side:
        """The side whose shares it keeps."""
        return "cn" if self.principal.jurisdiction == "cn" else "hk"


class DepositBox:
    """Takes deposits into a holder's store. Safe to share between threads."""

    def __init__(self, store: HolderStore, keys: HolderKeys, sites: SiteSet, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._sites = sites
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    def deposit(self, deposits: Sequence[Deposit]) -> list[bytes]:
        """Keep shares of up to 64 documents, all or none; a receipt (envelope) for each.

        Raises InvalidInputError or IntegrityError naming the deposit that does not fit,
        NotAllowedError for a signer that is no custodian, ConflictError for a known attestation
        with another manifest.
        """
        if not 1 <= len(deposits) <= MAX_BATCH:
            raise InvalidInputError(f"1 to {MAX_BATCH} deposits in a call", field="deposits")
        checked = [self._signed(number, item) for number, item in enumerate(deposits)]
        # Two calls with one attestation would each add it, under two keys.
        with self._one_at_a_time:
            return self._keep(deposits, checked)

    def _keep(
        self,
        deposits: Sequence[Deposit],
        checked: Sequence[tuple[PrincipalRecord, Attestation, KeyManifest]],
    ) -> list[bytes]:
        known = self._store.find_all([attestation.digest for _, attestation, _ in checked])
        receipts: list[bytes] = []
        new: dict[str, NewDeposit] = {}
        for (custodian, attestation, manifest), item in zip(checked, deposits, strict=True):
            found = known.get(attestation.digest)
            if found is None:
                if attestation.digest in new:
                    raise InvalidInputError("one attestation twice in a call", field="deposits")
                added = self._open(custodian, attestation, manifest, item)
                new[attestation.digest] = added
                found = added.stored
            elif found.manifest_digest != manifest.digest:
                raise ConflictError(
                    f"document {attestation.document}: a deposit with another key manifest is "
                    f"here already; deposits are never overwritten",
                    reason="DEPOSITED",
                )
            receipts.append(found.receipt)
        self._store.add(list(new.values()))
        return receipts

    def _signed(
        self, number: int, item: Deposit
    ) -> tuple[PrincipalRecord, Attestation, KeyManifest]:
        """Both payloads, as one pinned custodian signed them, about one document version.

        Two signatures would say the same thing here: the key manifest, which must be signed by the
        key that the attestation names, holds the attestation's digest, so that one signature
        covers both. A holder shows the attestation to nobody; who takes a bundle checks its own.
        """
        try:
            signed = Envelope.parse(item.attestation)
            record = self._sites.by_key(signed.keyid)
            principal = record.principal
            for kind in (PayloadType.ATTESTATION, PayloadType.KEY_MANIFEST):
                envelope.check_signer(kind, principal.jurisdiction, principal.role)
            if not record.valid_at(self._clock()):
                raise NotAllowedError(f"{record.uri} is not valid now", reason="NOT_VALID")
            if signed.kind is not PayloadType.ATTESTATION:
                raise SignatureError(f"an attestation is expected, not {signed.kind.value}")
            manifest = KeyManifest.parse(
                Envelope.parse(item.key_manifest).verify(
                    record.signing_key, PayloadType.KEY_MANIFEST
                )
            )
            attestation = Attestation.parse(signed.unverified_payload)
        except CrossproofError as error:
            raise InvalidInputError(
                f"deposit {number}: {error}", reason=error.reason, field="deposits"
            ) from error
        if (manifest.document, manifest.version, manifest.attestation) != (
            attestation.document,
            attestation.version,
            attestation.digest,
        ):
            raise InvalidInputError(
                f"deposit {number}: the key manifest is not of this attestation", field="deposits"
            )
        return record, attestation, manifest

    def _open(
        self,
        custodian: PrincipalRecord,
        attestation: Attestation,
        manifest: KeyManifest,
        item: Deposit,
    ) -> NewDeposit:
        me, side = self._keys.principal.uri, self._keys.side
        where = f"document {attestation.document}"
        holder = manifest.side(side).holder(me)
        if holder is None or holder.key != self._keys.hpke.key_id:
            raise InvalidInputError(
                f"{where}: the key manifest does not list {me} under its key", field="key_manifest"
            )
        if manifest.epoch != 1:
            raise InvalidInputError(f"{where}: a first deposit is of epoch 1", field="key_manifest")
        if ("personal" in manifest.parts_of("cn")) != (attestation.personal_part is not None):
            raise InvalidInputError(
                f"{where}: key manifest and attestation differ in parts", field="key_manifest"
            )
        parts = manifest.parts_of(side)
        if sorted(share.part for share in item.shares) != sorted(parts):
            raise InvalidInputError(
                f"{where}: one share of each of {', '.join(parts)} is expected", field="shares"
            )
        shares: dict[Part, Share] = {}
        for sealed in item.shares:
            if sealed.holder != me or sealed.index != holder.index:
                raise InvalidInputError(
                    f"{where}: a share of another holder or index than {me} at {holder.index}",
                    field="shares",
                )
            shares[sealed.part] = self._open_share(
                custodian, attestation, manifest, sealed.part, sealed.sealed
            )
        now = self._clock()
        receipt = DepositReceipt.build(
            attestation=attestation.digest,
            manifest=manifest.digest,
            index=holder.index,
            epoch=manifest.epoch,
            holder=me,
            parts=parts,
            time=now,
        )
        stored = StoredDeposit(
            attestation_digest=attestation.digest,
            document=attestation.document,
            version=attestation.version,
            custodian=custodian.uri,
            index=holder.index,
            epoch=manifest.epoch,
            attestation=item.attestation,
            manifest_digest=manifest.digest,
            key_manifest=item.key_manifest,
            receipt=envelope.sign(PayloadType.RECEIPT, receipt, self._keys.signing),
            deposited_at=now,
        )
        return NewDeposit(stored, shares)

    def _open_share(
        self,
        custodian: PrincipalRecord,
        attestation: Attestation,
        manifest: KeyManifest,
        part: Part,
        sealed: bytes,
    ) -> Share:
        me, side = self._keys.principal.uri, self._keys.side
        secret = manifest.secret(part, side)
        listed = manifest.side(side).holder(me)
        if secret is None or listed is None:
            raise InvalidInputError(f"no {side} share of the {part} part exists", field="shares")
        document, version, epoch = attestation.document, attestation.version, manifest.epoch
        info = store_info(
            document,
            version,
            part,
            side,
            listed.index,
            me,
            epoch,
            bytes.fromhex(attestation.digest),
            bytes.fromhex(custodian.key_id),
        )
        where = f"document {document}: the {part} share of {me}"
        try:
            share = Share(listed.index, hpke.open(self._keys.hpke, sealed, info))
        except IntegrityError as error:
            raise IntegrityError(
                f"{where} does not open: it was sealed for another key, holder or document, or by "
                "another custodian"
            ) from error
        found = share_digest(document, version, part, side, listed.index, epoch, share)
        if not compare_digest(found, secret.shares[listed.index - 1]):
            raise IntegrityError(f"{where} is not the one of the key manifest")
        return share

    # --- what nobody committed ------------------------------------------------------------------

    def sweep(self, committed: Callable[[Sequence[str]], Collection[str]]) -> int:
        """Ask the vault about deposits older than a day; drop those it does not have.

        `committed` gives those of some attestation digests that the catalogue has. It raises
        when the vault does not answer, and then nothing is dropped. Returns how many were.
        """
        before = self._clock() - UNCONFIRMED_FOR
        dropped = 0
        while asked := self._store.unconfirmed(before, limit=_ASKED_AT_ONCE):
            there = set(committed(asked)) & set(asked)
            self._store.confirm(there)
            gone = [digest for digest in asked if digest not in there]
            if gone:
                self._store.drop_unconfirmed(gone)
                log.info("dropped %d deposits that no put committed", len(gone))
            dropped += len(gone)
        self._store.sweep_keys(before)
        return dropped
