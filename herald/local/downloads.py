"""What all downloads share: the cache, trusted certificates, messages of failures."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from herald.local.errors import LocalError

Progress = Callable[[str, int, int], None]  # what is fetched, how many pieces of it are there, of how many


def no_progress(what: str, done: int, total: int) -> None:
    """For callers that show no progress."""


BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def cache_folder(name: str) -> Path:
    """The user's cache for `name`, made if need be: below HERALD_CACHE, or the folder that XDG names.

    Raises LocalError when it cannot be written.
    """
    base = (
        os.environ.get("HERALD_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "herald"
    )
    folder = Path(base) / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except (OSError, RuntimeError) as error:
        raise LocalError(
            f"The cache {folder} cannot be written ({error}): name another folder with HERALD_CACHE."
        ) from None
    return folder


def certificates() -> str | None:
    """The certificate bundle to trust: SSL_CERT_FILE, or the system's, or None for each library's own."""
    named = os.environ.get("SSL_CERT_FILE")
    return named or next((bundle for bundle in BUNDLES if os.access(bundle, os.R_OK)), None)


@contextmanager
def trusting_certificates() -> Iterator[None]:
    """A context in which `requests` trusts the certificates of SSL_CERT_FILE."""
    bundle = certificates()
    before = os.environ.get("REQUESTS_CA_BUNDLE")
    if bundle and not before:
        os.environ["REQUESTS_CA_BUNDLE"] = bundle
    try:
        yield
    finally:
        if bundle and not before:
            os.environ.pop("REQUESTS_CA_BUNDLE", None)


def failed(what: str, why: BaseException, mirror: str) -> LocalError:
    """The sentence for a failed download of `what`; `mirror` names the setting that points to a mirror."""
    if isinstance(why, OSError) and why.errno is not None and why.errno in (28, 122):
        return LocalError(f"The disk is full: {what} could not be stored.")
    reason = " ".join(str(why).split())[:200]
    return LocalError(
        f"{what} could not be downloaded ({reason}): behind a proxy that inspects TLS set SSL_CERT_FILE to "
        f"your company's certificates, behind a mirror set {mirror}."
    )
