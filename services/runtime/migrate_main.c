/* quire-migrate NAME: brings the schema NAME up to date with /usr/share/quire/NAME/migrations (or QUIRE_MIGRATIONS),
 * for services whose own program doesn't, in whatever language. */
#include "runtime/migrate.h"

#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s NAME\n", argv[0]);
        return 2;
    }
    return quire_migrate_main(argv[1], argv[1]);
}
