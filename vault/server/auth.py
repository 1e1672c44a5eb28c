"""The one gate before every method: who calls, may they, within which bounds.

The interceptor authenticates each call, compares the caller's role with the method's declaration,
takes a slot for a stream, runs the method with the caller at hand (`current_caller`), and turns
what it raises into the answer. A method that is in no declaration is refused, whoever serves it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from inspect import iscoroutinefunction
from typing import Any, TypeAlias

import grpc
from grpc import aio

from vault.errors import NotAllowedError
from vault.server.errors import answer
from vault.server.limits import Gates, Limits, bounded, forward
from vault.server.roles import Pair
from vault.server.tls import Authenticator, Caller

# Messages of any type go through here: the gate never looks into one.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "aio.ServicerContext[Any, Any]"

_caller: ContextVar[Caller] = ContextVar("caller")


def current_caller() -> Caller:
    """Who makes the call that is being served. LookupError outside of one: that is a bug."""
    return _caller.get()


class Gatekeeper(aio.ServerInterceptor):
    """See the module. One for each server; it remembers each method's wrapped handler."""

    def __init__(
        self,
        authenticator: Authenticator,
        declarations: Mapping[str, frozenset[Pair]],
        limits: Limits,
    ):
        self._authenticator = authenticator
        self._declarations = declarations
        self._limits = limits
        self._uploads = Gates("uploads", slots=limits.uploads, per_caller=limits.uploads_per_caller)
        self._streams = Gates("streams", slots=limits.streams, per_caller=limits.streams_per_caller)
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method's handler behind the gate; an unknown method stays unknown."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            wrapped = self._wrapped[method] = self._wrap(method, handler)
        return wrapped

    def _admit(self, method: str, context: Context) -> Caller:
        presented = context.auth_context().get("x509_pem_cert", ())
        caller = self._authenticator.caller(next(iter(presented), None))
        who = (caller.principal.jurisdiction, caller.principal.role)
        if who not in self._declarations.get(method, ()):
            raise NotAllowedError(
                f"{method.rpartition('/')[2]} does not serve {who[0]} {who[1]}s",
                reason="ROLE_NOT_SERVED",
            )
        _caller.set(caller)
        return caller

    def _wrap(self, method: str, handler: Handler) -> Handler:
        if handler.request_streaming and handler.response_streaming:
            behavior: Any = self._both(method, handler.stream_stream)
            make: Any = grpc.stream_stream_rpc_method_handler
        elif handler.request_streaming:
            behavior = self._upload(method, handler.stream_unary)
            make = grpc.stream_unary_rpc_method_handler
        elif handler.response_streaming:
            behavior = self._download(method, handler.unary_stream)
            make = grpc.unary_stream_rpc_method_handler
        else:
            behavior = self._unary(method, handler.unary_unary)
            make = grpc.unary_unary_rpc_method_handler
        wrapped: Handler = make(behavior, handler.request_deserializer, handler.response_serializer)
        return wrapped

    def _unary(self, method: str, inner: Any) -> Any:
        async def call(request: Any, context: Context) -> Any:
            try:
                self._admit(method, context)
                return await inner(request, context)
            except Exception as error:
                await _fail(error, method, context)

        return call

    def _upload(self, method: str, inner: Any) -> Any:
        limits = self._limits

        async def call(requests: AsyncIterator[Any], context: Context) -> Any:
            try:
                caller = self._admit(method, context)
                with self._uploads.enter(caller.principal):
                    stream = bounded(
                        requests,
                        idle_seconds=limits.idle_seconds,
                        total_seconds=limits.upload_seconds,
                    )
                    return await inner(stream, context)
            except Exception as error:
                await _fail(error, method, context)

        return call

    def _download(self, method: str, inner: Any) -> Any:
        async def call(request: Any, context: Context) -> None:
            try:
                caller = self._admit(method, context)
                with self._streams.enter(caller.principal):
                    await self._respond(inner, request, context)
            except Exception as error:
                await _fail(error, method, context)

        return call

    def _both(self, method: str, inner: Any) -> Any:
        limits = self._limits

        async def call(requests: AsyncIterator[Any], context: Context) -> None:
            try:
                caller = self._admit(method, context)
                with self._streams.enter(caller.principal):
                    stream = bounded(
                        requests,
                        idle_seconds=limits.idle_seconds,
                        total_seconds=limits.upload_seconds,
                    )
                    await self._respond(inner, stream, context)
            except Exception as error:
                await _fail(error, method, context)

        return call

    async def _respond(self, inner: Any, request: Any, context: Context) -> None:
        if iscoroutinefunction(inner):  # writes to the context itself, as health's Watch does
            await inner(request, context)
            return
        # Written here and not yielded: a generator left suspended would hold its slot.
        async with aclosing(inner(request, context)) as responses:
            await forward(responses, context.write, idle_seconds=self._limits.idle_seconds)


async def _fail(error: Exception, method: str, context: Context) -> None:
    """End the call with the answer to `error`; never returns."""
    if isinstance(error, aio.AbortError):  # the method ended the call by itself
        raise error
    found = answer(error, method=method)
    await context.abort(found.code, found.message, trailing_metadata=found.trailing_metadata)
