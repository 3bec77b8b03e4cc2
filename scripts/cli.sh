# The Python commands, in their container. Sourced by those that need it.

# Who reads files and keeps the session: the caller, and behind sudo the person who called it.
cli_user() {
    local user=${SUDO_UID:-$(id -u)} group=${SUDO_GID:-$(id -g)} name
    printf '%s\n' --user "$user:$group"
    name=$(id -un "$user" 2>/dev/null) || return 0
    for group in $(id -G "$name"); do printf '%s\n' --group-add "$group"; done
}

# The terminal's width, also where output is a pipe. 100 without a terminal.
cli_columns() {
    local columns
    columns=$({ stty size </dev/tty; } 2>/dev/null | cut -d' ' -f2) || true
    [[ $columns =~ ^[1-9][0-9]*$ ]] && echo "$columns" || echo 100
}

# cli_run [DOCKER OPTIONS] -- MODULE ARGUMENTS...: on the machine's own network, so that any address works; the session file is the caller's. Without
# capabilities: what the file modes deny is denied to root too, and who takes over a reader of foreign files has gained little.
cli_run() {
    local options=() user home="${QUIRE_HOME:-$QUIRE_ROOT/.quire}"
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    mkdir -p "$home"
    [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$home"
    mapfile -t user < <(cli_user)
    [ -z "${QUIRE_CA_FILE:-}" ] || options+=(-v "$(realpath "$QUIRE_CA_FILE"):/ca.pem:ro" -e QUIRE_CA_FILE=/ca.pem)
    # Built by ./quire up; here for who has only a remote stack.
    docker image inspect quire/cli >/dev/null 2>&1 || { engine_ready; step "Building the command-line image" cli stack --profile tools build cli; }
    docker run --rm --init --network host "${user[@]}" --cap-drop ALL --security-opt no-new-privileges -v "$home:/quire" \
        -e QUIRE_URL -e QUIRE_TOKEN -e QUIRE_DEFAULT_URL="http://127.0.0.1:$QUIRE_HTTP_PORT" -e NO_COLOR -e TERM \
        -e COLUMNS="$(cli_columns)" "${options[@]}" quire/cli "$@"
}
