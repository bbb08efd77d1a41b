"""What an error looks like to whoever reads the server's log."""

import logging

import pytest
from django.db import OperationalError
from psycopg.errors import AdminShutdown, QueryCanceled

from apps.core.problems import problem_of


def raised(cause: Exception | None) -> OperationalError:
    error = OperationalError("connection to the server was lost\nand more lines")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("cause", [None, AdminShutdown()], ids=["no answer", "shut down"])
def test_database_that_is_away_is_one_line(cause: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert problem_of(raised(cause)).status == 503
    (record,) = caplog.records
    assert record.getMessage() == "the database did not answer: connection to the server was lost"
    assert record.exc_info is None


def test_statement_that_was_refused_is_told_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        problem_of(raised(QueryCanceled()))
    assert caplog.records[0].exc_info is not None
