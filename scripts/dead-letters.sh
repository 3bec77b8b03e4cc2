# Usage: ./quire dead-letters list [TOPIC...] [--all]
#        ./quire dead-letters show ID [--raw]
#        ./quire dead-letters replay ID... [--seconds N] [--again]
#        ./quire dead-letters drop ID...
# Messages that could not be handled, with the reason, and what to do about them: replay puts one back on its topic, once; drop says that it needs
# nothing more. An ID is what list prints. A message that holds a password can't be replayed: it opens only within its first deadline.
stack_running
[ $# -gt 0 ] || set -- list
stack run --rm --no-deps -T dead-letters "$@"
