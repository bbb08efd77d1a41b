"""JSON in and out: numbers that are larger than any whole number of 64 bits come back as they were sent."""

import json

import pytest

from apps.core import jsontext


@pytest.mark.parametrize("number", ["1e20", "-1e300", "18446744073709551616", "-9223372036854775809"])
def test_a_large_number_from_the_database_is_written_as_the_number_that_was_sent(number: str) -> None:
    sent = jsontext.loads(f'{{"a": [{number}]}}'.encode())
    stored = json.loads(f'{{"a": [{int(float(number))}]}}')  # PostgreSQL writes out all the digits of a number
    assert jsontext.loads(jsontext.dumps(stored)) == sent


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 2**53 + 1])
def test_a_whole_number_of_64_bits_keeps_each_digit(number: int) -> None:
    assert jsontext.dumps([number, 1 << 70]) == f"[{number},1.1805916207174113e+21]".encode()
