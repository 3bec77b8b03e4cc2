# The base image and the toolchain image. Sourced by common.sh.

base_bootstrap() {
    local folder status=0
    folder=$(mktemp -d) || return 1
    have debootstrap || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debootstrap || {
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debootstrap
    }
    { debootstrap --variant=minbase trixie "$folder/root" && tar -C "$folder/root" -c . | docker import - "$QUIRE_BASE"; } || status=$?
    rm -rf "$folder"
    return $status
}

base_ready() {
    docker image inspect "$QUIRE_BASE" >/dev/null 2>&1 && return
    if ! timeout 60 docker pull -q "$QUIRE_BASE" >"$QUIRE_LOGS/base-pull.log" 2>&1; then
        may_install || fail "the base image $QUIRE_BASE can't be pulled (see $QUIRE_LOGS/base-pull.log), and making it needs root and apt."
        step "No registry: making $QUIRE_BASE with debootstrap" base base_bootstrap
    fi
}

# Everything that compiles and tests runs in this image, so that nothing of it need be on the machine.
toolchain_build() {
    docker buildx build --secret "id=ca,src=$QUIRE_CA_BUNDLE" --build-arg "QUIRE_BASE=$QUIRE_BASE" \
        -f "$QUIRE_ROOT/compose/Dockerfile" --target toolchain -t quire/toolchain "$QUIRE_ROOT"
}
toolchain_ready() { step "Building the toolchain image" toolchain toolchain_build; }

# A build volume a checkout: ninja tells files by their times, and would take another checkout's objects for this one's. Below all of them is one cache of
# objects by what went into them.
QUIRE_BUILD_VOLUME=${QUIRE_BUILD_VOLUME:-quire-build-$(printf '%s' "$QUIRE_ROOT" | cksum | cut -d' ' -f1)}

# toolchain_run [DOCKER OPTIONS] -- COMMAND...: with the source at /src and the build volume at /build. Seccomp is off because gdb, perf and io_uring are
# at home here; loopback only, as the network is the container's own.
toolchain_run() {
    local options=()
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    docker run --rm --init --security-opt seccomp=unconfined --cap-add SYS_PTRACE --ulimit "nofile=$QUIRE_NOFILE:$QUIRE_NOFILE" --ulimit core=0 \
        -v "$QUIRE_ROOT:/src" -v "$QUIRE_BUILD_VOLUME:/build" -v quire-ccache:/ccache -e QUIRE_BUILD_DIR=/build -e CI="${CI:-}" -w /src "${options[@]}" quire/toolchain "$@"
}
