"""How releases look on a terminal: a request from its signed bytes, holders, what was opened.

Chinese and English stand side by side, because the two officers of one release read one each.
Texts of other parties are shown as plain text; the parsers let none through that could move the
cursor. It renders what it is given and checks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from proofs.canonical import format_instant
from vault.cli.show import Row, print_list, print_pairs
from vault.client.approve import HolderReport, PendingRequest
from vault.client.combine import HolderFinding
from vault.client.part_folder import Progress as Written
from vault.client.release import Fetched
from vault.release_model import HolderAnswer, HolderState
from vault.rich_status import safe
from vault.signed.release_request import ReleaseRequest

STATES: Final[dict[HolderState, str]] = {
    HolderState.WAITING: "waiting 待批准",
    HolderState.APPROVED: "approved 已批准",
    HolderState.RELEASED: "released 已释放",
    HolderState.DENIED: "denied 已拒绝",
    HolderState.UNREACHABLE: "unreachable 不可达",
    HolderState.REFUSED: "refused 不接受",
    HolderState.EXPIRED: "expired 已过期",
}

_PARTS: Final = {"asset": "asset 资产部分", "personal": "personal 个人信息部分"}


def short(uri: str) -> str:
    """`cn/holder/h1` of a principal's URI: the trust domain is the same for all."""
    return uri.removeprefix("spiffe://").partition("/")[2] or uri


def gap() -> None:
    """An empty line between two tables."""
    Console().print()


def _halves(digest: str) -> list[str]:
    """A digest on two lines: one would be broken anywhere by a narrow terminal."""
    return [digest[:32], digest[32:]]


def print_request(request: ReleaseRequest, *, signed_by: str) -> None:
    """Everything that the signed bytes say. Whoever calls has verified them."""
    rows: tuple[Row, ...] = (
        ("Release 调取申请", _halves(request.digest)),
        ("Part 部分", _PARTS[request.part]),
        ("Document 文件", f"{request.document}, version {request.version}"),
        ("Attestation 证明", _halves(request.attestation)),
        ("Requester 申请人", request.requester.uri),
        ("Purpose 目的", request.purpose),
        ("Legal basis 法律依据", request.legal_basis),
        ("Needs 需批准方", " + ".join(f"{side} quorum" for side in request.sides)),
        ("Made 提出于", format_instant(request.created)),
        ("Expires 失效于", format_instant(request.expires)),
        ("Sealed to 收件密钥", _halves(request.recipient_key.key_id)),
        ("Signature 签名", signed_by),
    )
    print_pairs(*rows)
    gap()


def print_answers(answers: Iterable[HolderAnswer]) -> None:
    """What the vault heard from each holder."""
    rows = [(short(each.holder), STATES[each.state], each.detail) for each in answers]
    print_list(("holder 持钥人", "state 状态", "detail 说明"), rows)


def print_states(pending: PendingRequest) -> None:
    """A request's state at each holder of the officer's side."""
    rows = [(short(holder), STATES[state]) for holder, state in sorted(pending.states.items())]
    print_list(("holder 持钥人", "state 状态"), rows)


def print_reports(reports: Sequence[HolderReport]) -> None:
    """What each holder answered to a decision."""
    rows = [
        (
            short(each.holder),
            "not taken 未受理" if each.state is None else "taken 已受理",
            each.problem if each.state is None else STATES[each.state],
        )
        for each in reports
    ]
    print_list(("holder 持钥人", "decision 决定", "answer 答复"), rows)


def print_findings(findings: Iterable[HolderFinding], *, console: Console | None = None) -> None:
    """What each holder's share came to."""
    rows = []
    for each in findings:
        if each.good:
            judged = "good share 份额有效"
        elif each.good is None:
            judged = STATES[each.state]
        else:
            judged = "DROPPED 份额作废"
        rows.append((short(each.holder), str(each.index), judged, each.problem or each.detail))
    print_list(("holder 持钥人", "index", "share 份额", "detail 说明"), rows, console=console)


def print_fetched(fetched: Fetched) -> None:
    """What was opened, value by value, and where it was written."""
    evidence = fetched.evidence
    gap()
    print_pairs(
        ("Document 文件", f"{evidence.request.document}, version {evidence.request.version}"),
        ("Part 部分", _PARTS[evidence.request.part]),
        ("Asset 资产", evidence.attestation.asset),
        ("Attested by 证明方", evidence.custodian.uri),
        ("As of 截至", str(evidence.attestation.as_of)),
    )
    gap()
    print_list(
        ("attribute 属性", "value 数值", "commitment 承诺"),
        [
            (
                f"{each.attribute.label_zh} {each.attribute.label_en}",
                safe(each.text) if each.text is not None else "-",
                "agrees 一致" if each.agrees else f"DIFFERS 不一致: {each.problem}",
            )
            for each in fetched.record.attributes
        ],
    )
    if fetched.written.files:
        gap()
    for path in fetched.written.files:
        print_pairs(("Attachment 附件", str(path)))


def describe_request(request: ReleaseRequest, **more: Any) -> dict[str, Any]:
    """A request for machines."""
    return {
        "digest": request.digest,
        "document": request.document,
        "version": request.version,
        "attestation": request.attestation,
        "part": request.part,
        "requester": request.requester.uri,
        "purpose": request.purpose,
        "legal_basis": request.legal_basis,
        "created": format_instant(request.created),
        "expires": format_instant(request.expires),
        **more,
    }


@contextmanager
def transfer_bar(total: int, label: str) -> Iterator[Written]:
    """A progress bar on standard error for `total` bytes; none for nothing."""
    if not total:
        yield lambda _: None
        return
    with Progress(
        TextColumn(label),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)
