# Usage: ./quire tell-again
# Has every document told once more on quire.documents.events, as an update that changed nothing: for a consumer that is newer than the topic reaches back
# (seven days), or that lost its table. 500 documents a step; it may be stopped and run again.
without_arguments "$@"
stack_running
told=0 last=00000000-0000-0000-0000-000000000000
tell_step() {
    stack exec -T primary psql -h /run/postgresql -U postgres -d quire -qAt -v ON_ERROR_STOP=1 -c "SELECT documents.tell_again('$last', 500)"
}
while true; do
    next=$(tell_step) || fail "the primary doesn't answer; ./quire status says how it is"
    [ -n "$next" ] || break
    last=$next told=$((told + 1))
done
say "All documents are being told again ($told steps of at most 500); ./quire status shows who is how far behind."
