#!/bin/sh
# wheels.sh [PLATFORM]: whether each package that an image needs is to be had as a wheel for that platform, of the lock
# file's digests, so that the image can be built for it without a compiler.
set -eu
cd "$(dirname "$0")/.."
platform=${1:-aarch64-manylinux_2_28}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for service in program content sharing gamification metrics hub; do
    cp requirements.lock "$folder/$service.lock"
    sh tools/uv.sh pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-package herald-contracts --extra "$service" pyproject.toml -o "$folder/$service.lock"
    sh tools/uv.sh pip install -q --dry-run --target "$folder/none" --only-binary :all: --python-platform "$platform" \
        --python-version 3.11 --require-hashes -r "$folder/$service.lock"
    printf '%s: %s packages, all with wheels for %s\n' "$service" "$(grep -c '^[a-z]' "$folder/$service.lock")" "$platform"
done
