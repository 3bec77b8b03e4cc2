# Usage: ./quire login [E-MAIL] [--register]
# Opens a session (asking for the password, or reading it from standard input) and keeps its token in .quire/session for import and ask.
# QUIRE_URL names another address than this machine's stack.
tty=()
[ -t 0 ] && tty=(-t)
cli_run -i "${tty[@]}" -- cli.login "$@"
