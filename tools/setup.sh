#!/bin/sh
# Makes .venv from the lock files: Python packages only, every one verified by its hash.
# PYTHON=... chooses the interpreter. Index and certificate settings of pip are handed on to uv.
set -eu
cd "$(dirname "$0")/.."

fail() { printf '\nherald: %s\n' "$1" >&2; exit 1; }
run() { printf '%s\n' "$*"; "$@"; }

download_failed() {
    fail "$1 could not be downloaded or verified (the reason is printed above).
  Behind a proxy that inspects TLS, set SSL_CERT_FILE to your company's certificate bundle;
  behind a mirror, set PIP_INDEX_URL (and UV_INDEX_URL, if uv should use another one); then run it again."
}

PYTHON=${PYTHON:-python3.11}
found=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    fail "Python 3.11 is needed and '$PYTHON' does not run: install it, or name one with PYTHON=/path/to/python3.11."
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or later is needed, '$PYTHON' is $found: name another with PYTHON=/path/to/python3.11."

if command -v flock >/dev/null && [ -z "${HERALD_SETUP_LOCKED:-}" ]; then
    HERALD_SETUP_LOCKED=1 exec flock .setup.lock sh tools/setup.sh
fi

stamp=.venv/.setup-done
want=$(cat requirements.lock requirements-bootstrap.lock pyproject.toml contracts/pyproject.toml | cksum)
if [ -x .venv/bin/herald ] && [ "$(cat $stamp 2>/dev/null)" = "$want" ]; then
    touch $stamp
    exit 0
fi

. ./tools/certificates.sh

if ! .venv/bin/python -c '' 2>/dev/null; then
    run "$PYTHON" -m venv --clear .venv ||
        fail "no virtual environment could be made in .venv: the folder must be writable and Python must have its 'venv' module (Debian: python3.11-venv)."
fi
run .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock ||
    download_failed "uv, the package installer,"

export UV_PYTHON=.venv/bin/python
run sh tools/uv.sh pip install --compile-bytecode --require-hashes -r requirements.lock ||
    download_failed "the Python packages"
run sh tools/uv.sh pip install -q --no-deps --no-build-isolation -e . -e contracts || fail "Herald itself could not be installed into .venv."
printf '%s' "$want" >$stamp
