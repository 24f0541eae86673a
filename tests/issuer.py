"""An OIDC issuer for tests: real keys, real tokens, keys served over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from chassis.web.tokens import account_of


class Issuer:
    """Signs what it is asked to sign; `account(subject)` is how services know that subject."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256"}, private=True)
        self._key.ensure_kid()

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def account(self, subject: str) -> str:
        return account_of(self.url, subject)

    def token(self, subject: str, **claims: Any) -> str:
        now = int(time.time())
        payload = {"iss": self.url, "aud": "herald", "sub": subject, "iat": now, "exp": now + 3600, **claims}
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, payload, self._key)

    def machine_token(self, client: str, *scopes: str) -> str:
        return self.token(client, client_id=client, scope=" ".join(scopes))


@contextmanager
def serve_issuer() -> Iterator[Issuer]:
    """An issuer whose discovery document and keys answer on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = issuer.jwks if self.path == "/jwks" else {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/jwks"}
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
