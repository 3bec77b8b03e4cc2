# Usage: ./quire down [--volumes]
# Stops the stack. With --volumes everything that it stored is forgotten: accounts, documents, topics.
options=()
for argument in "$@"; do
    case $argument in
        --volumes) options+=(--volumes) ;;
        *) misused "down knows --volumes only" ;;
    esac
done
engine_ready
step "Stopping the stack" down stack down --remove-orphans "${options[@]}"
