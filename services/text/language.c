#include "text/language.h"

#include "base/utf8.h"
#include "text/function_words.h"
#include "text/words.h"

#include <unicode/uscript.h>
#include <unicode/utf8.h>

/* Two letters a code, in order. */
static const char iso_639_1[] = "aaabaeafakamanarasavayazbabebgbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufaff"
                                "fifjfofrfygagdglgngugvhahehihohrht"
                                "huhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwkylalblglilnloltlulvmgmhmimk"
                                "mlmnmrmsmtmynanbndnengnlnnnonrnvny"
                                "ocojomorospapiplpsptqurmrnrorurwsascsdsesgsiskslsmsnsosqsrssstsusvswtatetgthtitktltnto"
                                "trtstttwtyugukuruzvevivowawoxhyiyo"
                                "zazhzu";

bool text_is_language_code(struct quire_slice code) {
    if (code.size != 2)
        return false;
    for (size_t i = 0; i + 1 < sizeof(iso_639_1) - 1; i += 2)
        if (memcmp(iso_639_1 + i, code.bytes, 2) == 0)
            return true;
    return false;
}

struct scripts {
    size_t letters; /* all below, and those of scripts that we don't tell apart */
    size_t latin, cyrillic, arabic, devanagari, han, kana, hangul;
};

/* Scripts that one language writes, as far as a guess goes. */
static const struct {
    UScriptCode script;
    const char *language;
} scripts_of_one[] = {
    {USCRIPT_HEBREW, "he"},   {USCRIPT_GREEK, "el"},    {USCRIPT_ARMENIAN, "hy"}, {USCRIPT_GEORGIAN, "ka"},
    {USCRIPT_THAI, "th"},     {USCRIPT_LAO, "lo"},      {USCRIPT_KHMER, "km"},    {USCRIPT_MYANMAR, "my"},
    {USCRIPT_TAMIL, "ta"},    {USCRIPT_TELUGU, "te"},   {USCRIPT_KANNADA, "kn"},  {USCRIPT_MALAYALAM, "ml"},
    {USCRIPT_BENGALI, "bn"},  {USCRIPT_GUJARATI, "gu"}, {USCRIPT_GURMUKHI, "pa"}, {USCRIPT_SINHALA, "si"},
    {USCRIPT_ETHIOPIC, "am"},
};
#define SCRIPTS_OF_ONE (sizeof(scripts_of_one) / sizeof(scripts_of_one[0]))

static void count_letter(UScriptCode script, struct scripts *scripts, size_t ones[SCRIPTS_OF_ONE]) {
    switch (script) {
    case USCRIPT_COMMON:
    case USCRIPT_INHERITED:
    case USCRIPT_INVALID_CODE:
        return;
    case USCRIPT_LATIN:
        scripts->latin++;
        break;
    case USCRIPT_CYRILLIC:
        scripts->cyrillic++;
        break;
    case USCRIPT_ARABIC:
        scripts->arabic++;
        break;
    case USCRIPT_DEVANAGARI:
        scripts->devanagari++;
        break;
    case USCRIPT_HAN:
        scripts->han++;
        break;
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
        scripts->kana++;
        break;
    case USCRIPT_HANGUL:
        scripts->hangul++;
        break;
    default:
        for (size_t i = 0; i < SCRIPTS_OF_ONE; i++)
            ones[i] += scripts_of_one[i].script == script;
        break;
    }
    scripts->letters++;
}

static void count_scripts(struct quire_slice text, struct scripts *scripts, size_t ones[SCRIPTS_OF_ONE]) {
    for (size_t at = 0; at < text.size;) {
        const uint8_t byte = text.bytes[at];
        if (byte < 0x80) {
            const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
            scripts->latin += letter;
            scripts->letters += letter;
            at++;
            continue;
        }
        const int32_t window = text.size - at < 4 ? (int32_t)(text.size - at) : 4;
        int32_t offset = 0;
        UChar32 character;
        U8_NEXT(text.bytes + at, offset, window, character);
        at += (size_t)offset;
        UErrorCode error = U_ZERO_ERROR;
        if (character > 0)
            count_letter(uscript_getScript(character, &error), scripts, ones);
    }
}

struct votes {
    size_t words;
    uint32_t of[FUNCTION_WORD_LANGUAGES_MAX];
};

static uint64_t languages_of(struct quire_slice word) {
    size_t low = 0, high = function_words_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const char *at = function_words[middle].word;
        const size_t size = strlen(at);
        int order = memcmp(word.bytes, at, word.size < size ? word.size : size);
        if (order == 0)
            order = word.size < size ? -1 : word.size > size;
        if (order == 0)
            return function_words[middle].languages;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

static bool vote(void *context, const struct text_word *word) {
    struct votes *votes = context;
    votes->words++;
    for (uint64_t languages = languages_of(word->word); languages != 0; languages &= languages - 1)
        votes->of[__builtin_ctzll(languages)]++;
    return true;
}

/* The language with the most function words: at least two of them and a tenth of all words, and a sixth more than the
 * next. */
static const char *by_function_words(struct quire_slice text) {
    struct votes votes = {0};
    (void)text_words(text, vote, &votes); /* vote never stops it */
    size_t best = 0;
    uint32_t next = 0;
    for (size_t i = 1; i < function_word_languages_count; i++)
        if (votes.of[i] > votes.of[best])
            best = i;
    for (size_t i = 0; i < function_word_languages_count; i++)
        if (i != best && votes.of[i] > next)
            next = votes.of[i];
    if (votes.of[best] < 2 || votes.of[best] * 10 < votes.words || votes.of[best] * 6 < next * 7 ||
        votes.of[best] == next)
        return NULL;
    return function_word_languages[best];
}

const char *text_language(struct quire_slice text) {
    text = quire_utf8_cut(text, TEXT_LANGUAGE_BYTES);
    struct scripts scripts = {0};
    size_t ones[SCRIPTS_OF_ONE] = {0};
    count_scripts(text, &scripts, ones);
    const size_t letters = scripts.letters;
    if (letters == 0)
        return NULL;
    /* A character of Han, Kana or Hangul says what several of an alphabet say, so that code and names in such a text
     * don't outvote it. */
    if (scripts.hangul * 4 > letters)
        return "ko";
    if ((scripts.han + scripts.kana) * 4 > letters)
        return scripts.kana * 10 > scripts.han + scripts.kana ? "ja" : letters > 3 ? "zh" : NULL;
    for (size_t i = 0; i < SCRIPTS_OF_ONE; i++)
        if (ones[i] * 2 > letters)
            return scripts_of_one[i].language;
    if (scripts.latin * 2 > letters || scripts.cyrillic * 2 > letters || scripts.arabic * 2 > letters ||
        scripts.devanagari * 2 > letters)
        return by_function_words(text);
    return NULL;
}
