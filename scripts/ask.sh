# Usage: ./quire ask "QUESTION" [--top N] [--tag TAG] [--json]
# The passages that answer it, best first: title, score, source and passage number, the words that were found; last the request's id, for ./quire trace and
# ./quire logs --request.
#   --top N     how many, 1..100 (5)
#   --tag TAG   only documents with this tag (import makes tags of folders); several mean all of them
#   --json      the server's answer, with `source` in each result and `request_id`, for pipes
# Colour on a terminal only, and not with NO_COLOR. QUIRE_URL and QUIRE_TOKEN name another server and session than ./quire login did.
# Exit status: 0 answered, also when nothing was found; 1 refused or no answer; 2 wrong arguments; 130 stopped.
tty=()
[ -t 1 ] && tty=(-t)
cli_run "${tty[@]}" -- cli.ask "$@"
