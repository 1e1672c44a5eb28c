"""Proofs over selections, step by step: through the service, and as a verifier checks them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks.at_service import crossvault
from benchmarks.both_sides import BothSides
from benchmarks.clocks import Clocks, Spent, Step
from benchmarks.timed_vault import WHOLE, TimedVault
from proofs import group
from proofs.envelope import Envelope
from proofs.ids import new_nonce
from proofs.named_set import NamedSet
from proofs.policy import Expectation
from proofs.trust import Trust
from proofs.verify import Verified, verify_bundle
from vault.client import own_list_proof
from vault.pki import now_utc

FETCH = "fetch the attestations and check them"
GRANT = "compare all and sign the grant"
WAIT = "wait for the vault and receive"
AROUND = "connect, read, write"
CLIENT = (FETCH, GRANT, WAIT, AROUND)
SIGNATURES, DECODING, BEYOND = "check the signatures", "decode the points", "everything beyond"
VERIFIER = (SIGNATURES, DECODING, BEYOND)
_PATIENCE = 300.0
"""Seconds that a process waits for others to get ready; one that died never will be."""

_CLIENT: tuple[Step, ...] = (
    (own_list_proof, "choose", FETCH),
    (own_list_proof, "prepare_list", GRANT),
    (own_list_proof, "grant_list", GRANT),
    (own_list_proof, "create", WAIT),
)
_VERIFIER: tuple[Step, ...] = (
    (Envelope, "verify", SIGNATURES),
    (group, "decode_statement_points", DECODING),
    (group, "decode_proof_point", DECODING),
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A bundle, the request that it answers, and what client and vault took, `WHOLE` included."""

    request: bytes = field(repr=False)
    bundle: bytes = field(repr=False)
    client: Mapping[str, Spent]
    vault: Mapping[str, Spent]


def prove_list(sides: BothSides, identity: Path, facts: Sequence[str], *options: str) -> Proof:
    """`crossvault prove` with these options, which choose the list, as a custodian runs it."""
    output, request = sides.folder / "list.proof.json", sides.folder / "list.request.json"
    clocks = Clocks()
    with clocks.on(_CLIENT), clocks.around(WHOLE):
        crossvault(
            *("prove", *options),
            *(word for fact in facts for word in ("--fact", fact)),
            *("--audience", "Harbour Bridge Fund", "--purpose", "due diligence"),
            # The same request in the same second would be answered from what is stored.
            *("--nonce", new_nonce()),
            *("--basis", "benchmark", "-o", str(output), "--request-out", str(request)),
            *("--as", str(identity)),
            log=sides.folder / "prove.log",
        )
    client = dict(clocks.take())
    client[AROUND] = client[WHOLE] - sum((client[step] for step in CLIENT[:-1]), Spent())
    vault = sides.vault
    if not isinstance(vault, TimedVault):
        raise TypeError("the vault has no clocks")
    return Proof(request.read_bytes(), output.read_bytes(), client, vault.last())


def verify_list(
    request: bytes, bundle: bytes, trust: Trust, sets: Sequence[NamedSet] = ()
) -> tuple[Verified, dict[str, float]]:
    """The verdict, and seconds of processor time of each step, which add up to `WHOLE`.

    Sets were read before.
    """
    expectation, clocks = Expectation.for_request(request), Clocks()
    with clocks.on(_VERIFIER), clocks.around(WHOLE):
        verified = verify_bundle(
            bundle, trust=trust, expectation=expectation, sets=sets, now=now_utc()
        )
    spent = {step: each.processor for step, each in clocks.take().items()}
    spent[BEYOND] = spent[WHOLE] - spent[SIGNATURES] - spent[DECODING]
    return verified, spent


@dataclass(frozen=True, slots=True)
class ToVerify:
    """What a process of its own verifies; `first` before the clock starts, to get ready."""

    trust: Trust
    set_file: Path
    first: tuple[bytes, bytes]
    then: tuple[bytes, bytes]


def verify_at_once(work: ToVerify, processes: int) -> tuple[float, float]:
    """Verify one bundle in each of so many processes at once: seconds on the wall, and the
    processor seconds of one."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    found: list[tuple[float, float, float]] = []
    started = []
    for _ in range(processes):
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_verify_one, args=(work, barrier, theirs))
        process.start()
        theirs.close()  # or nobody would notice that the process ended
        started.append((process, mine))
    for process, mine in started:
        found.append(mine.recv())
        process.join()
    begins, ends, used = zip(*found, strict=True)
    return max(ends) - min(begins), sum(used) / processes


def _verify_one(work: ToVerify, barrier: Barrier, answer: Connection) -> None:
    named = NamedSet.load(work.set_file)
    verify_list(*work.first, work.trust, [named])
    barrier.wait(_PATIENCE)
    begin, used = time.monotonic(), time.process_time()
    verify_list(*work.then, work.trust, [named])
    answer.send((begin, time.monotonic(), time.process_time() - used))
