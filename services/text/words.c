#include "text/words.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

/* What a character does to the run that it meets. */
enum kind {
    KIND_SEPARATOR,
    KIND_LETTER, /* of a script with spaces and, perhaps, a dictionary */
    KIND_HEBREW,
    KIND_HANGUL,
    KIND_HAN, /* Kana too */
    KIND_SOUTH_EAST,
    KIND_MARK,    /* continues any run */
    KIND_DROPPED, /* continues any run and leaves no trace */
};

/* A run is cut here: the gram over the cut is lost, which is the price of a fixed buffer. */
#define RUN_CHARACTERS_MAX 512u
/* NFKC_Casefold makes at most 18 UTF-16 units of one character (U+FDFA). */
#define FOLDED_UNITS_MAX (RUN_CHARACTERS_MAX * 18u)

struct run {
    enum kind kind;
    size_t count;
    size_t end; /* byte after the last character */
    bool plain; /* folding changes nothing: characters are as the index wants them */
    UChar32 characters[RUN_CHARACTERS_MAX];
    size_t starts[RUN_CHARACTERS_MAX]; /* byte of the text where each begins */
};

struct cutter {
    text_on_word *on_word;
    void *context;
    struct run run;
    struct {
        UChar before[RUN_CHARACTERS_MAX * 2], after[FOLDED_UNITS_MAX];
        UChar32 characters[FOLDED_UNITS_MAX];
    } folded;
};

static enum kind kind_of_letter(UChar32 c) {
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(c, &error)) {
    case USCRIPT_HEBREW:
        return KIND_HEBREW;
    case USCRIPT_HANGUL:
        return KIND_HANGUL;
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_KATAKANA_OR_HIRAGANA:
    case USCRIPT_BOPOMOFO:
        return KIND_HAN;
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
        return KIND_SOUTH_EAST;
    default:
        return KIND_LETTER;
    }
}

static enum kind kind_of(UChar32 c) {
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ? KIND_LETTER : KIND_SEPARATOR;
    if (c >= 0x4e00 && c <= 0x9fff)
        return KIND_HAN;
    if (c >= 0xac00 && c <= 0xd7a3)
        return KIND_HANGUL;
    if (c == 0x30fc || c == 0xff70) /* the long-vowel sign of Kana belongs to no one script */
        return KIND_HAN;
    /* Hebrew points and accents, Arabic points and tatweel, soft hyphen, joiners: they decorate. */
    if ((c >= 0x0591 && c <= 0x05c7 && c != 0x05be && c != 0x05c0 && c != 0x05c3 && c != 0x05c6) ||
        (c >= 0x064b && c <= 0x065f) || c == 0x0670 || c == 0x0640 || c == 0x00ad || c == 0x200c || c == 0x200d)
        return KIND_DROPPED;
    const uint32_t mask = U_GET_GC_MASK(c);
    if ((mask & U_GC_M_MASK) != 0)
        return kind_of_letter(c) == KIND_SOUTH_EAST ? KIND_SOUTH_EAST : KIND_MARK;
    if ((mask & (U_GC_L_MASK | U_GC_N_MASK)) != 0)
        return kind_of_letter(c);
    return KIND_SEPARATOR;
}

static bool is_plain(UChar32 c) {
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0x05d0 && c <= 0x05ea) ||
           (c >= 0x3041 && c <= 0x3096) || (c >= 0x30a1 && c <= 0x30fc) || (c >= 0x0e01 && c <= 0x0e30);
}

static UChar32 without_final_form(UChar32 c) {
    switch (c) {
    case 0x05da: /* kaf */
    case 0x05dd: /* mem */
    case 0x05df: /* nun */
    case 0x05e3: /* pe */
    case 0x05e5: /* tsadi */
        return c + 1;
    default:
        return c;
    }
}

/* NFKC_Casefold of the run. Points ret_characters at the run itself when that changes nothing; 0 when ICU fails. */
static size_t fold_run(struct cutter *cutter, UChar32 **ret_characters) {
    struct run *run = &cutter->run;
    if (run->plain) {
        *ret_characters = run->characters;
        return run->count;
    }
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *folder = unorm2_getNFKCCasefoldInstance(&error);
    int32_t units = 0;
    for (size_t i = 0; i < run->count; i++)
        U16_APPEND_UNSAFE(cutter->folded.before, units, (uint32_t)run->characters[i]);
    const int32_t after =
        unorm2_normalize(folder, cutter->folded.before, units, cutter->folded.after, (int32_t)FOLDED_UNITS_MAX, &error);
    int32_t count = 0;
    (void)u_strToUTF32(cutter->folded.characters, (int32_t)FOLDED_UNITS_MAX, &count, cutter->folded.after, after,
                       &error);
    if (U_FAILURE(error))
        return 0;
    *ret_characters = cutter->folded.characters;
    return (size_t)count;
}

static bool emit(struct cutter *cutter, const UChar32 *characters, size_t count, size_t start, size_t end, bool gram) {
    uint8_t bytes[TEXT_WORD_CHARACTERS_MAX * 4];
    int32_t size = 0;
    if (count > TEXT_WORD_CHARACTERS_MAX)
        count = TEXT_WORD_CHARACTERS_MAX;
    for (size_t i = 0; i < count; i++)
        U8_APPEND_UNSAFE(bytes, size, (uint32_t)characters[i]);
    const struct text_word word = {.word = {bytes, (size_t)size}, .start = start, .end = end, .gram = gram};
    return size == 0 || cutter->on_word(cutter->context, &word);
}

/* The bytes behind characters [at, at + count) of the folded run: exact when folding changed nothing, else the whole
 * run. */
static void source_of(const struct run *run, size_t at, size_t count, size_t *ret_start, size_t *ret_end) {
    *ret_start = run->plain ? run->starts[at] : run->starts[0];
    *ret_end = run->plain && at + count < run->count ? run->starts[at + count] : run->end;
}

static bool emit_grams(struct cutter *cutter, const UChar32 *characters, size_t count, size_t width,
                       bool also_single_han) {
    const struct run *run = &cutter->run;
    size_t start, end;
    if (count <= width) {
        source_of(run, 0, count, &start, &end);
        if (!emit(cutter, characters, count, start, end, true))
            return false;
    }
    for (size_t at = 0; count > width && at + width <= count; at++) {
        source_of(run, at, width, &start, &end);
        if (!emit(cutter, characters + at, width, start, end, true))
            return false;
    }
    for (size_t at = 0; also_single_han && count > 1 && at < count; at++) {
        if (characters[at] < 0x4e00 || characters[at] > 0x9fff)
            continue;
        source_of(run, at, 1, &start, &end);
        if (!emit(cutter, characters + at, 1, start, end, true))
            return false;
    }
    return true;
}

static bool end_run(struct cutter *cutter) {
    struct run *run = &cutter->run;
    if (run->count == 0)
        return true;
    UChar32 *characters = NULL;
    const size_t count = fold_run(cutter, &characters);
    bool more = true;
    switch (run->kind) {
    case KIND_HEBREW:
        for (size_t i = 0; i < count; i++)
            characters[i] = without_final_form(characters[i]);
        more = emit_grams(cutter, characters, count, 4, false);
        break;
    case KIND_HANGUL:
        more = emit_grams(cutter, characters, count, 2, false);
        break;
    case KIND_HAN:
        more = emit_grams(cutter, characters, count, 2, true);
        break;
    case KIND_SOUTH_EAST:
        more = emit_grams(cutter, characters, count, 3, false);
        break;
    default:
        more = emit(cutter, characters, count, run->starts[0], run->end, false);
        break;
    }
    run->count = 0;
    return more;
}

/* Whether a quote at `at` stands inside a Hebrew word, as in an acronym: then it is no end of the word. */
static bool is_inner_quote(struct quire_slice text, size_t next, UChar32 c) {
    if (c != '"' && c != '\'' && c != 0x05f3 && c != 0x05f4 && c != 0x2019 && c != 0x201d)
        return false;
    const size_t left = text.size - next;
    if (left < 2)
        return false;
    const uint8_t *b = text.bytes + next;
    return (b[0] == 0xd7 && b[1] >= 0x90 && b[1] <= 0xaa); /* U+05D0..U+05EA */
}

static bool add_character(struct cutter *cutter, UChar32 c, enum kind kind, size_t start, size_t end) {
    struct run *run = &cutter->run;
    if (run->count > 0 && kind != KIND_MARK && (kind != run->kind || run->count == RUN_CHARACTERS_MAX)) {
        if (!end_run(cutter))
            return false;
    }
    if (run->count == 0) {
        if (kind == KIND_MARK)
            return true; /* nothing to decorate */
        run->kind = kind;
        run->plain = true;
    }
    if (run->count == RUN_CHARACTERS_MAX)
        return true; /* a mark too many */
    if (run->plain)
        run->plain = c < 0x80 ? run->kind == KIND_LETTER : is_plain(c);
    run->characters[run->count] = c < 0x80 && c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    run->starts[run->count++] = start;
    run->end = end;
    return true;
}

bool text_words(struct quire_slice text, text_on_word *on_word, void *context) {
    struct cutter cutter;
    cutter.on_word = on_word;
    cutter.context = context;
    cutter.run.count = 0;
    cutter.run.kind = KIND_LETTER;
    for (size_t at = 0; at < text.size;) {
        const size_t start = at;
        UChar32 c = text.bytes[at];
        if (c < 0x80) {
            at++;
        } else {
            const int32_t window = text.size - at < 4 ? (int32_t)(text.size - at) : 4;
            int32_t offset = 0;
            U8_NEXT_OR_FFFD(text.bytes + at, offset, window, c);
            at += (size_t)offset;
        }
        const enum kind kind = kind_of(c);
        if (kind == KIND_DROPPED ||
            (cutter.run.count > 0 && cutter.run.kind == KIND_HEBREW && is_inner_quote(text, at, c)))
            continue;
        if (kind == KIND_SEPARATOR ? !end_run(&cutter) : !add_character(&cutter, c, kind, start, at))
            return false;
    }
    return end_run(&cutter);
}
