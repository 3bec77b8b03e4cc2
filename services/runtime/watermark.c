#include "runtime/watermark.h"

#include <inttypes.h>
#include <stdio.h>

static int hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

void quire_watermark_text(const struct quire_watermark *watermark, char ret_text[QUIRE_WATERMARK_CHARACTERS + 1]) {
    snprintf(ret_text, QUIRE_WATERMARK_CHARACTERS + 1, "%s:%016" PRIx64, watermark->epoch, watermark->lsn);
}

bool quire_watermark_parse(struct quire_slice text, struct quire_watermark *ret_watermark) {
    if (text.size < 18 || text.size > QUIRE_WATERMARK_CHARACTERS || text.bytes[text.size - 17] != ':')
        return false;
    struct quire_watermark watermark = {.known = true};
    for (size_t i = text.size - 16; i < text.size; i++) {
        int digit = hex_digit(text.bytes[i]);
        if (digit < 0)
            return false;
        watermark.lsn = watermark.lsn << 4 | (uint64_t)digit;
    }
    memcpy(watermark.epoch, text.bytes, text.size - 17);
    *ret_watermark = watermark;
    return true;
}

bool quire_watermark_of_epoch(const struct quire_watermark *watermark, const char *epoch) {
    return watermark->known && epoch[0] != '\0' && strcmp(watermark->epoch, epoch) == 0;
}
