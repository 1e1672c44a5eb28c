"""Bare gRPC beside our own server: what mutual TLS, the gate and the roles cost a call.

Run as `python -m benchmarks.bench_rpc`. The method is the health check, which does nothing. The
bare server is `grpc.aio` without TLS and without anything of ours, in a process of its own, as
the vault is.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from benchmarks.bench_content import Line, print_lines
from benchmarks.both_sides import both_sides
from vault.client.channel import connect
from vault.client.session import the_vault
from vault.identity import Identity

CALLS = 300
ROUNDS = 5


def measure() -> list[Line]:
    """Unary calls one after the other, alternating with the same on a bare server."""
    with both_sides([("cn", "custodian", "bank")]) as sides, _bare_server() as port:
        identity = Identity.load(sides.identity("cn", "custodian", "bank"))
        pinned = identity.sites()
        with (
            connect(identity, pinned, the_vault(pinned).uri) as ours,
            grpc.insecure_channel(f"127.0.0.1:{port}") as bare,
        ):
            call_ours, call_bare = _caller(ours), _caller(bare)
            times = [(_timed(call_ours), _timed(call_bare)) for _ in range(ROUNDS)]
    return [
        Line(
            name="unary call, mutual TLS and every check",
            seconds=statistics.median(own for own, _ in times),
            amount=CALLS,
            unit="call",
            beside="gRPC without TLS and checks",
            ratio=statistics.median(own / plain for own, plain in times),
        )
    ]


def _caller(channel: grpc.Channel) -> Callable[[], None]:
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest()

    def call() -> None:
        for _ in range(CALLS):
            stub.Check(request)

    call()  # the handshake does not count
    return call


def _timed(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@contextmanager
def _bare_server() -> Iterator[int]:
    """A server of its own process; its port."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve_bare, args=(sender,), daemon=True)
    process.start()
    try:
        yield receiver.recv()
    finally:
        process.terminate()
        process.join()


def _serve_bare(sender: Connection) -> None:
    async def serve() -> None:
        server = aio.server()
        health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        sender.send(port)
        await server.wait_for_termination()

    asyncio.run(serve())


if __name__ == "__main__":
    print_lines(measure(), title="gRPC")
