# The Docker engine and its compose and buildx plugins: found, started or, where this may be done, installed. Sourced by common.sh.

engine_answers() { docker info >/dev/null 2>&1; }
# Told apart, as starting the engine helps nobody whom it doesn't let in.
engine_refuses() { [[ $(docker info 2>&1) == *"permission denied"* ]]; }
ENGINE_REFUSES="the Docker engine doesn't let you in. Join its group (sudo usermod -aG docker $(id -un), then log in anew), or run this with sudo"
engine_running() {
    engine_answers && return
    ! engine_refuses || fail "$ENGINE_REFUSES"
    fail "the Docker engine is not running; ./quire up starts it"
}

engine_install() {
    DEBIAN_FRONTEND=noninteractive apt-get update -qq || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io iptables
}

# An engine that was killed leaves pid files behind whose numbers may be anybody's by now.
engine_start() {
    if have systemctl && [ -d /run/systemd/system ]; then
        systemctl start docker && return
    fi
    rm -f /var/run/docker.pid /var/run/docker/containerd/containerd.pid
    # Descriptors that were inherited (a lock, a pipe that somebody reads to its end) must not live on in the engine.
    (
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            [ "$fd" -gt 2 ] && eval "exec $fd>&-" 2>/dev/null
        done
        # A published port by the kernel alone: a proxy process for it takes a tenth of what a request costs.
        exec setsid nohup dockerd --userland-proxy=false >"$QUIRE_LOGS/dockerd.log" 2>&1 </dev/null
    ) &
    disown
}

engine_wait() {
    local tries=0
    until engine_answers; do
        tries=$((tries + 1))
        [ "$tries" -lt 120 ] || return 1
        sleep 0.5
    done
}

# Debian packages the plugins for trixie; an older host gets them out of an image of it.
plugins_install() {
    local folder=/usr/local/lib/docker/cli-plugins container
    [ "$(id -u)" = 0 ] || folder="$HOME/.docker/cli-plugins"
    mkdir -p "$folder"
    container=$(docker run -d "$QUIRE_BASE" sh -ec '
        apt-get update -qq
        cd /tmp && apt-get download docker-compose docker-buildx
        for package in *.deb; do dpkg-deb -x "$package" /plugins; done') || return 1
    [ "$(docker wait "$container")" = 0 ] || { docker logs "$container"; return 1; }
    docker cp "$container:/plugins/usr/libexec/docker/cli-plugins" - | tar -x -C "$folder" --strip-components=1 || return 1
    docker rm "$container" >/dev/null
}

engine_ready() {
    if ! have dockerd && ! engine_answers; then
        may_install || fail "there is no Docker engine. Install one (Debian: apt-get install docker.io), or run this as root where apt works."
        step "No Docker engine here: installing Debian's" engine-install engine_install
    fi
    if ! engine_answers; then
        ! engine_refuses || fail "$ENGINE_REFUSES"
        [ "$(id -u)" = 0 ] || fail "the Docker engine is not running. Start it: sudo systemctl start docker"
        engine_start
        step "Starting the Docker engine" engine-start engine_wait
    fi
    base_ready
    docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 ||
        step "Fetching the compose and buildx plugins" plugins plugins_install
}
