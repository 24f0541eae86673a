#!/bin/sh
# images.sh FOLDER [SERVICE...]: Herald's images and stand-ins for those of Kafka, MongoDB and Valkey, from packages alone.
#
# For machines that can pull no image: Debian's root (with debootstrap and buildah, from Debian's mirror), and the Python
# packages of .venv. FOLDER gets docker archives of localhost/herald-<service>:$TAG (dev), localhost/kafka:standin,
# localhost/mongo:standin, localhost/valkey:standin; what is there already is not made again.
# BEFORE: a release to update from (0.1.0), whose images are made as well. MIRROR: Debian's mirror.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mkdir -p "$1" && cd "$1" && pwd); shift
TAG=${TAG:-dev} BEFORE=${BEFORE:-}
MIRROR=${MIRROR:-$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)}
root=$folder/root

# Python and what it and the wheels link to: no shell, no package manager.
RUNTIME="base-files ca-certificates libbz2-1.0 libc-bin libc6 libcrypt1 libdb5.3 libexpat1 libffi8 libgcc-s1 liblzma5
    libncursesw6 libnsl2 libpython3-stdlib libpython3.11-minimal libpython3.11-stdlib libreadline8 libsqlite3-0 libssl3
    libstdc++6 libtinfo6 libtirpc3 libuuid1 media-types netbase python3 python3-minimal python3.11 python3.11-minimal
    tzdata zlib1g"

buildah_() { nice buildah --root "$folder/store" --runroot "$folder/run" --storage-driver overlay "$@"; }

image() { # NAME ARCHIVE.tar, Debian's root as an image
    [ -n "$(buildah_ images -q "$1" 2>/dev/null)" ] && return
    container=$(buildah_ from scratch)
    buildah_ add -q "$container" "$2" /
    buildah_ config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    buildah_ commit -q --rm "$container" "$1"
}

build() { # NAME, then what `buildah bud` takes
    name=$1; shift
    archive=$folder/$(printf %s "${name#localhost/}" | tr ':/' '--').tar
    [ -e "$archive" ] && return
    printf '%s %s\n' "$(date +%T)" "$name" >&2
    buildah_ bud -q --layers --isolation chroot --pull-never --format docker -t "$name" "$@" >/dev/null
    buildah_ push -q "$name" "docker-archive:$archive.part:$name"
    mv "$archive.part" "$archive"
}

if ! [ -e "$folder/build.tar" ]; then
    [ -e "$root/var/lib/dpkg/info/tzdata.list" ] || debootstrap --variant=minbase --include=ca-certificates,libcurl4,netbase,python3,python3-venv,tzdata bookworm "$root" "$MIRROR" >"$folder/debootstrap.log"
    ln -sf python3 "$root/usr/bin/python"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    # Folders that are links come first, and what packages say to be in them is where these lead.
    printf './%s\n' bin lib lib64 sbin >"$folder/runtime.list"
    for one in $RUNTIME; do chroot "$root" dpkg -L "$one"; done | sed -E 's#^/(bin|lib|lib64|sbin)/#/usr/\1/#' |
        grep -vE '^/(\.|usr/share/(doc|man|lintian|locale|bug)(/|$)|usr/share/python3?/|usr/lib/python3.11/(test|idlelib|ensurepip|lib2to3)/)' |
        sort -u | while read -r one; do [ -d "$root$one" ] && [ ! -L "$root$one" ] || echo ".$one"; done |
        grep -vxE './(bin|lib|lib64|sbin)' >>"$folder/runtime.list"
    printf '%s\n' ./etc/ld.so.cache ./etc/passwd ./etc/group ./etc/ssl/certs/ca-certificates.crt ./usr/bin/python >>"$folder/runtime.list"
    tar -C "$root" --no-recursion -cf "$folder/runtime.tar" ./tmp -T "$folder/runtime.list"
    tar -C "$root" --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -cf "$folder/build.tar" .
fi
image localhost/python-build:bookworm "$folder/build.tar"
image localhost/python:bookworm "$folder/runtime.tar"

services=${*:-program content sharing gamification metrics hub}
herald() { # NAME TREE SERVICE PYTHON_IMAGE
    build "$1" -f "$2/deploy/docker/Dockerfile" --build-arg SERVICE="$3" \
        --build-arg PYTHON_IMAGE="$4" --build-arg BUILD_IMAGE=localhost/python-build:bookworm \
        --build-arg SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
        --build-arg REVISION="$revision" --build-arg CREATED="$(date -u +%FT%TZ)" \
        ${PIP_INDEX_URL:+--build-arg PIP_INDEX_URL="$PIP_INDEX_URL"} "$2"
}

revision=$(git rev-parse HEAD)
for service in $services; do
    herald "localhost/herald-$service:$TAG" . "$service" localhost/python:bookworm
done
if [ -n "$BEFORE" ]; then
    revision=$(git log -1 --diff-filter=A --format=%H -- "contracts/released/$BEFORE/SHA256SUMS")
    before=$folder/$BEFORE
    mkdir -p "$before" && git archive "$revision" | tar -x -C "$before"
    # Its build knows no certificates of a mirror.
    sed -i 's#^ENV PIP_#ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_#' "$before/deploy/docker/Dockerfile"
    for service in $services; do
        [ -e "$folder/herald-$service-$BEFORE.tar" ] && continue
        # Its last stage needs a shell.
        herald "localhost/herald-$service-$BEFORE:plain" "$before" "$service" localhost/python-build:bookworm
        build "localhost/herald-$service:$BEFORE" -f tests/kubernetes/standins/before.Containerfile \
            --build-arg BASE="localhost/herald-$service-$BEFORE:plain" tests/kubernetes/standins
        rm -f "$folder/herald-$service-$BEFORE-plain.tar"
    done
fi
if ! [ -e "$folder/valkey-standin.tar" ]; then
    .venv/bin/python -m tests.kubernetes.standins.collect "$folder/standins"
    for one in kafka mongo valkey; do
        build "localhost/$one:standin" -f "$folder/standins/$one/Containerfile" --build-arg BASE=localhost/python-build:bookworm \
            "$folder/standins/$one"
    done
fi
