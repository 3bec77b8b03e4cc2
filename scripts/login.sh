# Usage: ./quire login [E-MAIL] [--register]
# Opens a session (asking for the password, or reading it from standard input) and keeps its token in .quire/session for import and ask, which go to the
# address of the last log-in. --register opens the account first.
#   QUIRE_URL=http://HOST:PORT   another address than the last one, or this machine's stack if there was none
#   QUIRE_CA_FILE=FILE           certificates to believe beside the usual ones: compose/secrets/tls_certificate for a stack of QUIRE_TLS=on
#   QUIRE_TOKEN=TOKEN            for import and ask: a session of one's own, nothing is kept; goes to QUIRE_URL, or this machine's stack
# Exit status: 0 logged in; 1 refused or no answer; 2 wrong arguments, or nothing on standard input; 130 stopped.
tty=()
[ -t 0 ] && tty=(-t)
cli_run -i "${tty[@]}" -- cli.login "$@"
