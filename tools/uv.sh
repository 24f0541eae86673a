#!/bin/sh
# uv as this checkout uses it: with the certificates of the machine, and with the index settings of pip.
set -eu
cd "$(dirname "$0")/.."

. ./tools/certificates.sh
setting() { .venv/bin/python -m pip config list 2>/dev/null | sed -n "s/^[a-z:.]*\.$1='\(.*\)'\$/\1/p" | tail -n 1; }
index=$(setting index-url)
extra=$(setting extra-index-url)
[ -n "${UV_INDEX_URL:-}${UV_DEFAULT_INDEX:-}" ] || [ -z "$index" ] || export UV_INDEX_URL="$index"
[ -n "${UV_EXTRA_INDEX_URL:-}${UV_INDEX:-}" ] || [ -z "$extra" ] || export UV_EXTRA_INDEX_URL="$extra"
exec .venv/bin/uv "$@"
