"""From sealed shares to the key of a part: each share is opened, checked and named, or dropped.

A share counts when it opens under the requester's key in exactly its context (document, version,
part, side, index, holder, epoch, attestation, request, recipient) and is the one whose digest the
custodian signed for that place. Holder and index come from the signed manifest, never from the
answer: a forged, moved or swapped share is dropped with its holder's name while the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hmac import compare_digest

from vault.client.evidence import Evidence
from vault.crypto import hpke
from vault.crypto.contexts import release_info
from vault.crypto.hpke import HpkeKey
from vault.crypto.keys import PartKey, SideKey, derive_part_key
from vault.crypto.shares import Share, combine_checked, share_digest
from vault.errors import ConflictError, IntegrityError, InvalidInputError
from vault.model import Side
from vault.release_model import HolderAnswer, HolderState, Quorum
from vault.signed.manifest import ManifestHolder, SideSecret


@dataclass(frozen=True, slots=True)
class HolderFinding:
    """What one holder of the manifest answered, and whether its share is good.

    `good` is None where there is no share. `problem` says why a share was dropped.
    """

    holder: str
    side: Side
    index: int
    state: HolderState
    detail: str
    good: bool | None
    problem: str = ""


class NotEnoughSharesError(ConflictError):
    """No quorum of good shares yet. `findings` says how far each holder is, `short` who lacks."""

    reason = "NOT_ENOUGH_SHARES"

    def __init__(self, quorums: Iterable[Quorum], findings: Iterable[HolderFinding]) -> None:
        self.quorums = tuple(quorums)
        self.findings = tuple(findings)
        counted = "; ".join(str(quorum) for quorum in self.quorums)
        self.short = f"not enough shares to open this part ({counted})"
        named = [
            f"{finding.holder}: {finding.problem or finding.detail or finding.state}"
            for finding in self.findings
            if not finding.good
        ]
        super().__init__(self.short + _listed("; missing: ", named))


@dataclass(frozen=True, slots=True)
class CombinedPart:
    """The key of the part, and what each holder's answer came to."""

    key: PartKey
    findings: tuple[HolderFinding, ...]

    @property
    def dropped(self) -> tuple[HolderFinding, ...]:
        """Holders whose share was not what it must be."""
        return tuple(finding for finding in self.findings if finding.good is False)


def combine_part(evidence: Evidence, key: HpkeKey, answers: Iterable[HolderAnswer]) -> CombinedPart:
    """Open and check every share and combine a quorum of each side.

    Raises:
        NotEnoughSharesError: fewer good shares of a side than its quorum; names every holder.
        IntegrityError: the shares fit the manifest and do not combine to its secret.
        InvalidInputError: `key` is not the one that the request carries.
    """
    if key.public != evidence.request.recipient_key:
        raise InvalidInputError("this is not the key that the request was made with")
    by_holder: dict[str, list[HolderAnswer]] = {}
    for answer in answers:
        by_holder.setdefault(answer.holder, []).append(answer)
    findings: list[HolderFinding] = []
    good: dict[Side, dict[int, Share]] = {}
    for secret in evidence.part.keys:
        good[secret.side] = {}
        for holder in evidence.manifest.side(secret.side).holders:
            given = by_holder.get(holder.uri, [])
            finding, share = _judge(evidence, key, secret, holder, given)
            findings.append(finding)
            if share is not None:
                good[secret.side][holder.index] = share
    quorums = [
        Quorum(side, len(found), evidence.manifest.side(side).threshold)
        for side, found in good.items()
    ]
    if not all(quorum.reached for quorum in quorums):
        raise NotEnoughSharesError(quorums, findings)
    keys = {
        secret.side: _combine(evidence, secret, good[secret.side]) for secret in evidence.part.keys
    }
    request = evidence.request
    part_key = derive_part_key(
        request.document, request.version, request.part, keys["cn"], keys.get("hk")
    )
    return CombinedPart(part_key, tuple(findings))


def _judge(
    evidence: Evidence,
    key: HpkeKey,
    secret: SideSecret,
    holder: ManifestHolder,
    given: list[HolderAnswer],
) -> tuple[HolderFinding, Share | None]:
    """The finding about one holder, from all answers that bear its name; a good share counts."""
    state, detail, problem = HolderState.UNREACHABLE, "did not answer", ""
    for answer in given:
        state, detail = answer.state, answer.detail
        if answer.state is not HolderState.RELEASED:
            continue
        try:
            share = _open(evidence, key, secret, holder, answer)
        except IntegrityError as error:
            problem = str(error)
            continue
        return (
            HolderFinding(holder.uri, secret.side, holder.index, state, detail, good=True),
            share,
        )
    good = False if problem else None
    return (
        HolderFinding(holder.uri, secret.side, holder.index, state, detail, good, problem),
        None,
    )


def _open(
    evidence: Evidence,
    key: HpkeKey,
    secret: SideSecret,
    holder: ManifestHolder,
    answer: HolderAnswer,
) -> Share:
    """One share, opened in its context and compared with the manifest; IntegrityError."""
    request, manifest = evidence.request, evidence.manifest
    if answer.index != holder.index:
        raise IntegrityError(
            f"its share claims index {answer.index}, the key manifest gives it {holder.index}: "
            f"moved, dropped"
        )
    info = release_info(
        request.document,
        request.version,
        request.part,
        secret.side,
        holder.index,
        holder.uri,
        manifest.epoch,
        bytes.fromhex(request.attestation),
        bytes.fromhex(request.digest),
        request.recipient_key.digest,
    )
    try:
        share = Share(holder.index, hpke.open(key, answer.sealed_share, info))
    except (IntegrityError, InvalidInputError) as error:
        raise IntegrityError(
            "its share does not open in this context (of another document, index, holder or "
            "request, or changed): dropped"
        ) from error
    found = share_digest(
        request.document,
        request.version,
        request.part,
        secret.side,
        holder.index,
        manifest.epoch,
        share,
    )
    if not compare_digest(found, secret.shares[holder.index - 1]):
        raise IntegrityError(
            "its share is not the one whose digest the custodian signed: forged, dropped"
        )
    return share


def _combine(evidence: Evidence, secret: SideSecret, good: Mapping[int, Share]) -> SideKey:
    request, manifest = evidence.request, evidence.manifest
    return combine_checked(
        good.values(),
        threshold=manifest.side(secret.side).threshold,
        share_digests=dict(enumerate(secret.shares, start=1)),
        expected_secret=secret.secret,
        document=request.document,
        version=request.version,
        part=request.part,
        side=secret.side,
        epoch=manifest.epoch,
    ).key


def _listed(head: str, items: list[str]) -> str:
    return head + "; ".join(items) if items else ""
