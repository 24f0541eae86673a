#!/usr/bin/python3
"""Stands in for mongosh, as far as a probe asks it to make a replica set of one and to say whether it is primary."""

import re
import sys

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

NOT_YET, ALREADY, NOT_ALLOWED = 94, 23, 13


def primary(script: str) -> bool:
    client: MongoClient[dict[str, object]] = MongoClient(
        "127.0.0.1", 27017, directConnection=True, serverSelectionTimeoutMS=3000
    )
    wanted = re.search(r'rs\.initiate\(\{_id: "([^"]+)", members: \[\{_id: 0, host: "([^"]+)"', script)
    if wanted and "setName" not in client.admin.command("hello"):
        config = {"_id": wanted[1], "members": [{"_id": 0, "host": wanted[2]}]}
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code not in (ALREADY, NOT_ALLOWED):
                raise
    return bool(client.admin.command("hello").get("isWritablePrimary"))


if __name__ == "__main__":
    try:
        sys.exit(0 if primary(sys.argv[sys.argv.index("--eval") + 1]) else 1)
    except PyMongoError as error:
        sys.exit(f"{type(error).__name__}: {error}"[:300])
