/* Random bytes that aren't, so that an input does the same each time it is run, and costs no system call. */
#ifndef QUIRE_FUZZ_RANDOM_H
#define QUIRE_FUZZ_RANDOM_H

/* Becomes libsodium's source. Called before sodium_init(), once. */
void fuzz_random_install(void);
/* The same bytes come again from here on. */
void fuzz_random_rewind(void);

#endif
