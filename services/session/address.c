#include "session/address.h"

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/utf8.h>

#define DOMAIN_BYTES_MAX 253u /* RFC 1035 2.3.4, without the root's dot */

#define UNSEEN_MASK (U_GC_Z_MASK | U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CO_MASK | U_GC_CN_MASK)

/* False for a byte that is no UTF-8, too. */
static bool is_seen_everywhere(struct quire_slice text) {
    const int32_t size = (int32_t)text.size;
    for (int32_t at = 0; at < size;) {
        UChar32 c;
        U8_NEXT(text.bytes, at, size, c);
        if (c < 0 || (U_GET_GC_MASK(c) & UNSEEN_MASK) != 0 ||
            u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
            return false;
    }
    return true;
}

/* RFC 5322 3.2.3; with RFC 6531 3.3 all that is no ASCII. */
static bool is_atom_byte(uint8_t byte) {
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
           (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

static bool is_dot_atom(struct quire_slice local) {
    bool in_atom = false;
    for (size_t i = 0; i < local.size; i++) {
        if (local.bytes[i] == '.' ? !in_atom : !is_atom_byte(local.bytes[i]))
            return false;
        in_atom = local.bytes[i] != '.';
    }
    return in_atom;
}

/* Hyphens in the third and fourth place are what IDNA keeps for itself; names like r3---sn-4g5e6nz7 are in use. */
static bool is_domain(struct quire_slice domain) {
    const uint32_t options = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                             UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE;
    char ascii[DOMAIN_BYTES_MAX];
    UErrorCode code = U_ZERO_ERROR;
    UIDNAInfo found = UIDNA_INFO_INITIALIZER;
    UIDNA *idna = uidna_openUTS46(options, &code);
    const int32_t size = uidna_nameToASCII_UTF8(idna, (const char *)domain.bytes, (int32_t)domain.size, ascii,
                                                (int32_t)sizeof(ascii), &found, &code);
    uidna_close(idna);
    return U_SUCCESS(code) && (found.errors & ~(uint32_t)UIDNA_ERROR_HYPHEN_3_4) == 0 && size > 0 &&
           ascii[size - 1] != '.';
}

bool address_is_valid(struct quire_slice address) {
    const uint8_t *at = address.size == 0 ? NULL : memchr(address.bytes, '@', address.size);
    if (at == NULL || !is_seen_everywhere(address))
        return false;
    const size_t local_bytes = (size_t)(at - address.bytes);
    return is_dot_atom((struct quire_slice){address.bytes, local_bytes}) &&
           is_domain((struct quire_slice){at + 1, address.size - local_bytes - 1});
}
