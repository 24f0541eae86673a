"""What of MongoDB's errors is no fault of the work at hand."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

from chassis.mongo import unreachable

TAKEN, STEPPED_DOWN, MAJORITY_NOT_YET, TOO_LARGE = 11000, 189, 134, 17280


def bulk(*codes: int, kind: str = "writeErrors") -> BulkWriteError:
    return BulkWriteError({kind: [{"code": code, "errmsg": ""} for code in codes]})


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("closed"),
        NotPrimaryError("stepped down"),
        OperationFailure("read concern majority is not available yet", MAJORITY_NOT_YET),
        WriteConcernError("waiting for replication", 64),
        bulk(STEPPED_DOWN),
        bulk(STEPPED_DOWN, MAJORITY_NOT_YET, kind="writeConcernErrors"),
    ],
)
def test_a_server_that_is_away_for_a_moment_says_nothing_of_the_work(error: PyMongoError) -> None:
    assert unreachable(error)


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("taken", TAKEN),
        OperationFailure("key too large to index", TOO_LARGE),
        bulk(TAKEN),
        bulk(STEPPED_DOWN, TAKEN),
        bulk(),
    ],
)
def test_an_answer_that_would_be_the_same_again_is_none_of_these(error: PyMongoError) -> None:
    assert not unreachable(error)
