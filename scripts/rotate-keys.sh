# Usage: ./quire rotate-keys
# Makes a new sealing key while the stack runs. Those who open learn it first; then those who seal use it; the one before it is still opened
# until the next rotation.
. "$QUIRE_ROOT/scripts/secrets.sh"
without_arguments "$@"
stack_running

# A process reads the file anew every second; three leave room for a busy machine.
KEY_RELOAD_S=3
step "Making a key that opens" rotate-make seal_keys_make
sleep "$KEY_RELOAD_S"
step "Sealing with it" rotate-publish seal_keys_publish
sleep "$KEY_RELOAD_S"
say "The key in use is $(cut -d' ' -f1 "$QUIRE_SECRETS/seal_public")."
