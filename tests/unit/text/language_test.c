#include "text/language.h"

#include "text/function_words.h"
#include "text/words.h"

#include "unit/suite.h"

#include <stdio.h>

static void expect(const char *text, const char *language) {
    const char *guess = text_language(quire_slice_of(text));
    const bool good = guess == NULL || language == NULL ? guess == language : strcmp(guess, language) == 0;
    CU_ASSERT_TRUE(good);
    if (!good)
        printf("\n  <%s> is %s, not %s\n", text, guess == NULL ? "unsure" : guess,
               language == NULL ? "unsure" : language);
}

static void sentences_are_recognised(void) {
    expect("The broker keeps the messages of a topic until their retention is over.", "en");
    expect("Der Broker behält die Nachrichten, bis ihre Frist abgelaufen ist, und löscht sie dann.", "de");
    expect("Le serveur garde les messages jusqu'à ce que leur durée soit écoulée, puis il les supprime.", "fr");
    expect("El servidor guarda los mensajes hasta que se acaba el plazo y después los borra.", "es");
    expect("O servidor guarda as mensagens até que o prazo acabe e depois não as mantém.", "pt");
    expect("Il server conserva i messaggi finché non scade il termine e poi li cancella.", "it");
    expect("De server bewaart de berichten tot het einde van de termijn en verwijdert ze dan.", "nl");
    expect("Сервер хранит сообщения, пока не истечёт срок, и затем их удаляет, если это нужно.", "ru");
    expect("Сервер зберігає повідомлення, доки не мине строк, та потім їх видаляє, якщо це потрібно.", "uk");
    expect("يحتفظ الخادم بالرسائل في الموضوع حتى تنتهي المدة التي حددت من قبل", "ar");
    expect("सर्वर संदेशों को तब तक रखता है जब तक कि समय समाप्त नहीं हो जाता", "hi");
}

static void scripts_of_one_language_decide(void) {
    expect("השרת שומר את ההודעות", "he");
    expect("서버는 메시지를 보관한다", "ko");
    expect("サーバーはメッセージを保存する", "ja");
    expect("服务器保存消息直到期限结束", "zh");
    expect("Ο διακομιστής κρατά τα μηνύματα", "el");
    expect("เซิร์ฟเวอร์เก็บข้อความ", "th");
}

/* A wrong guess costs every search; none costs little. */
static void what_could_be_anything_is_unsure(void) {
    expect("", NULL);
    expect("12345 67.8", NULL);
    expect("Kafka", NULL);
    expect("de", NULL);
    expect("x = y + 1; printf(z);", NULL);
}

static void codes_are_known_by_the_standard(void) {
    CU_ASSERT_TRUE(text_is_language_code(quire_slice_of("en")));
    CU_ASSERT_TRUE(text_is_language_code(quire_slice_of("aa")));
    CU_ASSERT_TRUE(text_is_language_code(quire_slice_of("zu")));
    CU_ASSERT_FALSE(text_is_language_code(quire_slice_of("EN")));
    CU_ASSERT_FALSE(text_is_language_code(quire_slice_of("xx")));
    CU_ASSERT_FALSE(text_is_language_code(quire_slice_of("eng")));
    CU_ASSERT_FALSE(text_is_language_code(quire_slice_of("")));
    for (size_t i = 0; i < function_word_languages_count; i++)
        CU_ASSERT_TRUE(text_is_language_code(quire_slice_of(function_word_languages[i])));
}

static bool same(void *context, const struct text_word *word) {
    const char *expected = context;
    CU_ASSERT_TRUE(quire_slice_equal(word->word, quire_slice_of(expected)));
    if (!quire_slice_equal(word->word, quire_slice_of(expected)))
        printf("\n  %s is folded to %.*s\n", expected, (int)word->word.size, (const char *)word->word.bytes);
    return true;
}

/* Else the binary search misses, or a text's word never looks like the table's. */
static void function_words_are_sorted_and_folded(void) {
    for (size_t i = 0; i < function_words_count; i++) {
        CU_ASSERT(i == 0 || strcmp(function_words[i - 1].word, function_words[i].word) < 0);
        CU_ASSERT(function_words[i].languages != 0);
        (void)text_words(quire_slice_of(function_words[i].word), same, (void *)(uintptr_t)function_words[i].word);
    }
}

QUIRE_TEST_MAIN("language", NULL, NULL, {"sentences_are_recognised", sentences_are_recognised},
                {"scripts_of_one_language_decide", scripts_of_one_language_decide},
                {"what_could_be_anything_is_unsure", what_could_be_anything_is_unsure},
                {"codes_are_known_by_the_standard", codes_are_known_by_the_standard},
                {"function_words_are_sorted_and_folded", function_words_are_sorted_and_folded})
