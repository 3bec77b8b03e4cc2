# Usage: ./quire compose ARGUMENTS...
# docker compose on the stack with all its files and settings, as the other commands have it: ./quire compose logs kafka, ./quire compose exec primary bash.
# Once `up` has kept them in compose/.env, docker compose --project-directory compose is the same.
engine_running
[ $# -gt 0 ] || misused "say what Compose shall do"
stack "$@"
