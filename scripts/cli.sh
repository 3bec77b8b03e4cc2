# The Python commands, in their container. Sourced by those that need it.

# cli_run [DOCKER OPTIONS] -- MODULE ARGUMENTS...: on the machine's own network, so that any address works; the session file is the caller's.
cli_run() {
    local options=() home="${QUIRE_HOME:-$QUIRE_ROOT/.quire}"
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    mkdir -p "$home"
    # Started by ./quire up before the first use; built here for who has only a remote stack.
    docker image inspect quire/cli >/dev/null 2>&1 || { engine_ready; step "Building the command-line image" cli stack --profile tools build cli; }
    docker run --rm --network host --user "$(id -u):$(id -g)" -v "$home:/quire" -e QUIRE_URL="${QUIRE_URL:-http://127.0.0.1:$QUIRE_HTTP_PORT}" \
        -e QUIRE_TOKEN -e QUIRE_CA_BUNDLE= -e COLUMNS="$(tput cols 2>/dev/null || echo 100)" "${options[@]}" quire/cli "$@"
}
