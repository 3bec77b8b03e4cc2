#!/bin/sh
# extend.sh BUILD OUT FOLDER...: adds the extensions of these folders to what is deployed. A step of compose/Dockerfile, run in the source folder after the
# built-in services are built: makes a gateway that has their routes, their programs, their migrations and the list of topics with theirs.
set -eu
build=$1 out=$2
shift 2
mkdir -p "$out/share/extensions"
[ $# -gt 0 ] || exit 0

programs= proto_paths=
for folder in "$@"; do
    programs="$programs $folder/quire-$(basename "$folder")"
    proto_paths="$proto_paths --proto-path $folder"
done
QUIRE_BUILD_DIR=$build cmake --preset release -DQUIRE_TESTS=OFF "-DQUIRE_EXTENSIONS=$(echo "$*" | tr ' ' ';')" >/dev/null
# shellcheck disable=SC2086
ninja -C "$build/release" services/gateway/quire-gateway $programs

cp "$build/release/services/gateway/quire-gateway" "$out/bin/"
strip "$out/bin/quire-gateway"
for folder in "$@"; do
    name=$(basename "$folder")
    cp "$build/release/$folder/quire-$name" "$out/bin/"
    head -c 4 "$out/bin/quire-$name" | grep -q ELF && strip "$out/bin/quire-$name"
    [ ! -d "$folder/migrations" ] || { mkdir -p "$out/share/extensions/$name" && cp -r "$folder/migrations" "$out/share/extensions/$name/"; }
done
# shellcheck disable=SC2086
python3 proto/generate.py --topics $proto_paths >"$out/share/topics.jsonl"
