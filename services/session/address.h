/* Which e-mail addresses can be registered. Any thread.
 *
 * Narrower than what the gateway lets through (format EMAIL: an @ with something on both sides), and asked at
 * registration alone: who registered before with an address that isn't taken any more still logs in with it, and a
 * log-in with one that nobody can have is that of an unknown e-mail. */
#ifndef QUIRE_SESSION_ADDRESS_H
#define QUIRE_SESSION_ADDRESS_H

#include "base/slice.h"

/* Whether it is  dot-atom "@" domain  (RFC 5321 4.1.2, with RFC 6531's UTF-8), without quoted local parts, comments and
 * address literals, as HTML's input type=email has it, and
 *  - before the @ no empty atom;
 *  - behind it a name that IDNA can look up (UTS #46, STD3 rules): labels of letters, digits and inner hyphens, none
 *    empty or over 63 bytes as DNS has it. One label is enough: an intranet's host has no dot;
 *  - nowhere a character that can't be seen or has no meaning (Z*, Cc, Cf, Cs, Co, Cn, and what Unicode calls default
 *    ignorable): two addresses that look the same would be two accounts, and one account two people.
 * Ask it of the folded form too, which is what addresses are compared by: U+FF20 becomes an @ and U+2025 two dots.
 * Lengths of the whole and of the local part are the gateway's to judge. */
QUIRE_MUSTCHECK bool address_is_valid(struct quire_slice address);

#endif
