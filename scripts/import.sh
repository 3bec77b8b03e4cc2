# Usage: ./quire import PATH... [--parallel N] [--prune [--yes]] [--take-over] [--dry-run] [--verbose]
# Text (.txt .text .rst .org .adoc, and files without a suffix), Markdown, HTML and PDF files become documents of the session's account (./quire login, or
# QUIRE_URL and QUIRE_TOKEN). A PATH is a file, a folder, or a pattern, which may be quoted: 'docs/**/*.md'.
#
# Started again it goes on where it was, as it does after Ctrl-C or a crash: the server's list of documents is the only record, so nothing is entered twice
# from any machine. What is there unchanged is passed over, what changed is updated. A document belongs to its metadata.source: the path below the folder in
# which import is started, or else the path from the named folder on. metadata.origin is the folder in which that path begins: what came from another folder
# of the same name is neither changed nor pruned, unless --take-over says that the folder has moved.
#   --parallel N   requests at once, 1..32 (8)
#   --prune        remove documents that came from the named folders and whose file is gone, and name them; asks first. Without a terminal it removes only
#                  with --yes, and so it does below a folder that has become empty
#   --take-over    documents of the same names are these folders', wherever they came from: for a folder that has moved
#   --dry-run      read everything, write nothing, tell what would be done
#   --verbose      name every file that was left out or removed; with --dry-run also each that would be added or updated
# Files are read with the caller's rights as the file modes grant them, also for root. Hidden files, links to folders, pipes and devices, empty files and
# unknown kinds are skipped; a file that is broken, encrypted, unreadable, binary or too large (15 MiB of text) has failed.
#
# Exit status: 0 everything is there, but for what was skipped; 1 a file or path failed, or the server or session did; 2 wrong arguments, or --prune wanted
# --yes; 130 stopped.

# One mount a path up to this many; more are reached through the folder above all of them.
MOUNTS_MAX=32

# The folder or file to mount for a path: the path itself, or what stands before a pattern; a name that is no UTF-8 or has a line feed can't be said to
# Docker, but the folder above it.
import_mount_point() {
    local path=$1
    [ -e "$path" ] || [ -L "$path" ] || while [[ $path == *[*?[]* ]]; do path=$(dirname "$path"; printf x); path=${path%$'\n'x}; done
    while [[ $path == *$'\n'* ]] || [[ -L $path && ! -e $path ]] || ! printf %s "$path" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1; do
        path=$(dirname "$path"; printf x); path=${path%$'\n'x}
    done
    printf %s/ "$path"
}

import_common_folder() {
    local common=$1 path
    for path in "$@"; do
        while [[ $path/ != "${common%/}"/* ]]; do common=$(dirname "$common"; printf x); common=${common%$'\n'x}; done
    done
    printf %s/ "$common"
}

# A field of --mount, which is a line of CSV.
import_field() { printf '"%s=%s"' "$1" "${2//\"/\"\"}"; }

paths=() flags=() points=() mounts=()
while [ $# -gt 0 ]; do
    case $1 in
        --parallel) [ $# -ge 2 ] || refuse "--parallel wants a number"; flags+=("$1" "$2"); shift ;;
        --) shift; paths+=("$@"); break ;;
        --*) flags+=("$1") ;;
        *) paths+=("$1") ;;
    esac
    shift
done
[ ${#paths[@]} -gt 0 ] || refuse "say what to import: ./quire import PATH..."
for path in "${paths[@]}"; do [ -n "$path" ] || refuse "a path is empty; the current folder is '.'"; done

# What the container sees below /host is what the caller named, under its own absolute path; links in the path itself are followed here.
declare -A known=()
for path in "${paths[@]}"; do
    [[ $path == /* ]] || path=$PWD/$path
    path=$(realpath -ms -- "$path"; printf x); path=${path%$'\n'x}
    point=$(import_mount_point "$path"); point=${point%/}
    [ -n "${known[x$point]:-}" ] || points+=("${point:-/}")
    known[x$point]=1
done
if [ ${#points[@]} -gt "$MOUNTS_MAX" ]; then
    point=$(import_common_folder "${points[@]}"); point=${point%/}
    points=("${point:-/}")
fi
for point in "${points[@]}"; do
    [ -e "$point" ] || continue # the importer tells which path is not there
    real=$(readlink -f -- "$point"; printf x); real=${real%$'\n'x}
    mounts+=(--mount "type=bind,readonly,$(import_field src "$real"),$(import_field dst "/host${point%/}")")
done

home="${QUIRE_HOME:-$QUIRE_ROOT/.quire}"
mkdir -p "$home"
find "$home" -maxdepth 1 -name 'import.??????' -mmin +1440 -delete # of runs that were killed
list=$(mktemp "$home/import.XXXXXX")
trap 'rm -f "$list"' EXIT
printf '%s\0' "$PWD" "${paths[@]}" >"$list"
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$list"
# The container ends when this lock does, that is with this process, also a killed one; so nobody else may hold it, the Docker client neither.
exec 9<>"$list"
if have flock && flock 9; then flags+=(--end-with-caller); fi
tty=()
[ -t 1 ] && tty=(-t)
if [ -t 1 ] && [ -t 0 ]; then tty=(-i -t); else flags+=(--unattended); fi
cli_run "${tty[@]}" "${mounts[@]}" -- cli.importer --root /host --from-file "/quire/${list##*/}" "${flags[@]}" 9>&-
