"""The health answer of a process, the same under every server."""

from __future__ import annotations

import json
from collections.abc import Sequence

MEDIA_TYPE = "application/health+json"


def health_answer(reasons: Sequence[str]) -> tuple[int, bytes]:
    """Status and body: 200 `pass` without reasons, 503 `fail` with them."""
    body = {"status": "fail" if reasons else "pass", "reasons": list(reasons)}
    return 503 if reasons else 200, json.dumps(body).encode()
