# Replacing a stack that runs, part by part, so that people can go on meanwhile. Sourced by up.sh.
#
# Compose by itself takes down all that changed, then starts it again in the order of dependencies: with a new base image that is the whole stack, for as long as
# its slowest parts need. Here each server is replaced alone (its clients do without it for a moment, as when it dies), then the schema moves on, which
# only ever adds, then the services: new containers join before the old ones are asked to end. Services come before gateways, as a new gateway may ask what only a new service knows.
# Never with --no-deps: what is made so counts as changed for Compose the next time.

ROLL_ALONE=(kafka redis primary replica-1 replica-2)
ROLL_ONCE=(topics migrate)
ROLL_WAIT_S=300
roll_old= # what roll_outdated said when the roll began

# The containers which aren't what the files and images say now: service and id, a line each.
roll_outdated() {
    local ids service hash id image name
    declare -A hashes images
    ids=$(stack ps -q) || return 1
    [ -n "$ids" ] || return 0
    while read -r service hash; do hashes[$service]=$hash; done < <(stack config --hash '*')
    # shellcheck disable=SC2086
    docker inspect -f '{{.Id}} {{index .Config.Labels "com.docker.compose.service"}} {{index .Config.Labels "com.docker.compose.config-hash"}} {{.Image}} {{.Config.Image}}' $ids |
        while read -r id service hash image name; do
            [ -n "${images[$name]:-}" ] || images[$name]=$(docker image inspect -f '{{.Id}}' "$name" 2>/dev/null || echo none)
            [ "$hash" = "${hashes[$service]:-}" ] && [ "$image" = "${images[$name]}" ] || echo "$service $id"
        done
}
of_service() { sed -n "s/^$1 //p" <<<"$roll_old"; }

runs() { [ -n "$(stack ps -q --status running "$1")" ]; }
# One that is stopped or missing too: what comes after it can't do without.
roll_alone() { { [ -z "$(of_service "$1")" ] && runs "$1"; } || stack up -d --no-build --wait --wait-timeout "$ROLL_WAIT_S" "$1"; }

# Doubles what is outdated of these services and makes those of which none runs, waits until the new containers are ready, and asks the old ones to end. When they
# don't become ready they go, and the old ones stay.
roll_beside() {
    local service old=() outdated scales=() changed=() before present
    for service in "$@"; do
        outdated=($(of_service "$service"))
        [ ${#outdated[@]} -gt 0 ] || ! runs "$service" || continue
        changed+=("$service")
        [ ${#outdated[@]} -gt 0 ] || continue
        old+=("${outdated[@]}")
        # Unknown isn't none: with too small a number nothing new would join, and the old ones be stopped.
        present=$(stack ps -q "$service" | wc -l) || return 1
        scales+=(--scale "$service=$((present + ${#outdated[@]}))")
    done
    [ ${#changed[@]} -gt 0 ] || return 0
    before=$(stack ps -aq "${changed[@]}") || return 1 # what isn't among these goes when the new ones don't become ready
    if ! stack up -d --no-build --no-recreate --wait --wait-timeout "$ROLL_WAIT_S" "${scales[@]}" "${changed[@]}"; then
        stack logs --no-color --tail 20 "${changed[@]}"
        stack ps -aq "${changed[@]}" | grep -vxF "$before" | xargs -r docker rm -f
        return 1
    fi
    [ ${#old[@]} = 0 ] || { docker stop "${old[@]}" && docker rm "${old[@]}"; }
}

# True when the stack runs and a part of it is outdated.
roll_needed() {
    [ -n "$(stack ps -q --status running proxy gateway 2>/dev/null)" ] && roll_old=$(roll_outdated) && [ -n "$roll_old" ]
}

roll() {
    local part
    # Else stopped containers of services would be counted as some that join.
    # shellcheck disable=SC2046
    stack rm -f $(stack_consumers) gateway || return 1
    for part in "${ROLL_ALONE[@]}"; do roll_alone "$part" || return 1; done
    for part in "${ROLL_ONCE[@]}"; do stack run --rm --no-deps -T "$part" </dev/null || return 1; done
    # Their own containers too: Compose makes whoever depends on them anew when it finds them outdated.
    stack up -d --no-build "${ROLL_ONCE[@]}" || return 1
    # shellcheck disable=SC2046
    roll_beside $(stack_consumers) && roll_beside gateway || return 1
    roll_alone proxy
}
