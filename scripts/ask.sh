# Usage: ./quire ask "QUESTION" [--top N] [--tag TAG] [--json]
# The passages that answer it: title, score, source, the words that were found. --json for pipes.
tty=()
[ -t 1 ] && tty=(-t)
cli_run "${tty[@]}" -- cli.ask "$@"
