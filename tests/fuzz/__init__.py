"""Whatever is sent by JSON-RPC, REST or gRPC is answered or refused: requests made at random from the protocol itself.

A few hundred run in `make test` (tests/api/a2a/test_fuzz.py, tests/api/a2a/grpc/test_fuzz.py), many thousands against
real processes by `make fuzz` (docs/development/fuzz.md).
"""
