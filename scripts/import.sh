# Usage: ./quire import PATH... [--parallel N] [--prune]
# Text and Markdown files, folders of them or globs become documents of the session's account (./quire login, or QUIRE_TOKEN). Started again it goes on
# where it was: what is there already and unchanged is passed over, what changed is updated. --prune removes documents whose file is gone.
paths=() mounts=() flags=()
while [ $# -gt 0 ]; do
    case $1 in
        --parallel) flags+=("$1" "$2"); shift 2 ;;
        --*) flags+=("$1"); shift ;;
        *)
            [ -e "$1" ] || fail "$1: there is no such file or folder"
            real=$(readlink -f "$1")
            mounts+=(-v "$real:/import/${#paths[@]}/$(basename "$real"):ro")
            paths+=("/import/${#paths[@]}/$(basename "$real")")
            shift
            ;;
    esac
done
[ ${#paths[@]} -gt 0 ] || fail "say what to import: ./quire import PATH..."
tty=()
[ -t 1 ] && tty=(-t)
cli_run "${tty[@]}" "${mounts[@]}" -- cli.importer "${flags[@]}" "${paths[@]}"
