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
# Files are read with the caller's rights as the file modes grant them, also for root. A link to a file is that file, wherever it is. Hidden files, links to
# folders, pipes and devices, empty files and unknown kinds are skipped; a file that is broken, encrypted, unreadable, binary or too large (15 MiB of text)
# has failed.
#
# Exit status: 0 everything is there, but for what was skipped; 1 a file or path failed, or the server or session did; 2 wrong arguments, or --prune wanted
# --yes; 130 stopped.

# One mount a path up to this many; more are reached through the folder above all of them. So are the files that links lead to.
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
    local common=${1%/} path
    for path in "$@"; do
        while [[ $path/ != "$common"/* ]]; do common=${common%/*}; done
    done
    printf %s/ "$common"
}

# A field of --mount, which is a line of CSV.
import_field() { printf '"%s=%s"' "$1" "${2//\"/\"\"}"; }
# import_mount FROM TO: TO is where the container sees FROM.
import_mount() { mounts+=(--mount "type=bind,readonly,$(import_field src "$1"),$(import_field dst "$2")"); }

# All links below the trees that the importer will come by, each with the kind of what it leads to (find's %Y).
import_links() {
    [ ${#trees[@]} = 0 ] || printf '%s\0' "${trees[@]}" |
        xargs -0 sh -c 'find -H "$@" -mindepth 1 -name ".?*" -prune -o -type l -printf "%Y\0%p\0"' find 2>/dev/null || true
}

# Where the container sees a file, given by its real path, through what is mounted of the paths; nothing if it doesn't.
import_seen() {
    local at
    for at in "${!points[@]}"; do
        [[ $1/ != "${reals[at]%/}"/* ]] || { seen=/host${points[at]%/}${1#"${reals[at]%/}"}; return; }
    done
    seen=
}

# Fills `links`: by pairs, a link and where the container sees what it leads to. In there a link out of what is mounted leads nowhere, as does an absolute
# one; so the files that they lead to are mounted below /links. Of what is no file the importer wants to know only that: any folder or device will do.
import_resolve() {
    local at found=() files=() reached=() outside=() target
    local -A once=() mounted=()
    mapfile -d '' found < <(import_links)
    for ((at = 0; at < ${#found[@]}; at += 2)); do
        case ${found[at]} in
            f) files+=("${found[at + 1]}") ;;
            d) links+=("${found[at + 1]}" /) ;;
            [bcps]) links+=("${found[at + 1]}" /dev/null) ;;
        esac
    done
    [ ${#files[@]} -gt 0 ] || return 0
    mapfile -d '' reached < <(printf '%s\0' "${files[@]}" | xargs -0 readlink -zm --)
    [ ${#reached[@]} = ${#files[@]} ] || fail "links changed while they were followed; try again"
    for at in "${!files[@]}"; do
        import_seen "${reached[at]}"
        links+=("${files[at]}" "${seen:-/links${reached[at]}}")
        [ -n "$seen" ] || [ -n "${once[x${reached[at]}]:-}" ] || outside+=("${reached[at]}")
        once[x${reached[at]}]=1
    done
    if [ ${#outside[@]} -gt "$MOUNTS_MAX" ]; then
        target=$(import_common_folder "${outside[@]}")
        outside=("${target%/}")
    fi
    for target in "${outside[@]}"; do
        target=$(import_mount_point "${target:-/}"); target=${target%/}
        [ -z "${mounted[x$target]:-}" ] && [ -e "${target:-/}" ] || continue
        import_mount "${target:-/}" "/links$target"
        mounted[x$target]=1
    done
}

paths=() flags=() points=() reals=() mounts=() trees=() links=()
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
    if [ -d "$path" ]; then trees+=("$path"); elif [ ! -e "$path" ] && [ -d "$point" ]; then trees+=("$point"); fi
done
if [ ${#points[@]} -gt "$MOUNTS_MAX" ]; then
    point=$(import_common_folder "${points[@]}"); point=${point%/}
    points=("${point:-/}")
fi
for at in "${!points[@]}"; do
    real=$(readlink -m -- "${points[at]}"; printf x); reals[at]=${real%$'\n'x}
    [ ! -e "${points[at]}" ] || import_mount "${reals[at]}" "/host${points[at]%/}" # the importer tells which path is not there
done
import_resolve

home="${QUIRE_HOME:-$QUIRE_ROOT/.quire}"
mkdir -p "$home"
find "$home" -maxdepth 1 -name 'import.??????' -mmin +1440 -delete # of runs that were killed
list=$(mktemp "$home/import.XXXXXX")
trap 'rm -f "$list"' EXIT
printf '%s\0' "$PWD" "${paths[@]}" '' "${links[@]}" >"$list"
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$list"
# The container ends when this lock does, that is with this process, also a killed one; so nobody else may hold it, the Docker client neither.
exec 9<>"$list"
if have flock && flock 9; then flags+=(--end-with-caller); fi
tty=()
[ -t 1 ] && tty=(-t)
if [ -t 1 ] && [ -t 0 ]; then tty=(-i -t); else flags+=(--unattended); fi
cli_run "${tty[@]}" "${mounts[@]}" -- cli.importer --root /host --from-file "/quire/${list##*/}" "${flags[@]}" 9>&-
