"""Calls by gRPC: how they end, and how they may end."""

import grpc

from tests.api.a2a.grpc.caller import GrpcCaller
from tests.api.a2a.grpc.protos import Case

PATIENCE = 10.0
FINE = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,  # a tenant that the caller is not in
}


async def code_of(caller: GrpcCaller, case: Case) -> grpc.StatusCode:
    """How the call ends; a stream counts as answered with its first message."""
    make = caller.channel.unary_stream if case.streams else caller.channel.unary_unary
    call = make(case.path)(case.raw, metadata=(*caller.sent, *case.sent), timeout=PATIENCE)
    try:
        if case.streams:
            await anext(aiter(call), None)
            call.cancel()
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK
