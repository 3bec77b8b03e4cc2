-- Words (services/text/words.h: folded, split, n-grams where a script has no spaces or no dictionary) become lexemes by PostgreSQL's Snowball
-- dictionaries, which also know the stop words. Accents go after stemming, because the stemmers and stop words want them.

CREATE FUNCTION documents.dictionary(p_language text) RETURNS regdictionary
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE p_language
        WHEN 'en' THEN 'pg_catalog.english_stem'   WHEN 'ar' THEN 'pg_catalog.arabic_stem'     WHEN 'ca' THEN 'pg_catalog.catalan_stem'
        WHEN 'da' THEN 'pg_catalog.danish_stem'    WHEN 'de' THEN 'pg_catalog.german_stem'     WHEN 'el' THEN 'pg_catalog.greek_stem'
        WHEN 'es' THEN 'pg_catalog.spanish_stem'   WHEN 'eu' THEN 'pg_catalog.basque_stem'     WHEN 'fi' THEN 'pg_catalog.finnish_stem'
        WHEN 'fr' THEN 'pg_catalog.french_stem'    WHEN 'ga' THEN 'pg_catalog.irish_stem'      WHEN 'hi' THEN 'pg_catalog.hindi_stem'
        WHEN 'hu' THEN 'pg_catalog.hungarian_stem' WHEN 'hy' THEN 'pg_catalog.armenian_stem'   WHEN 'id' THEN 'pg_catalog.indonesian_stem'
        WHEN 'it' THEN 'pg_catalog.italian_stem'   WHEN 'lt' THEN 'pg_catalog.lithuanian_stem' WHEN 'ne' THEN 'pg_catalog.nepali_stem'
        WHEN 'nl' THEN 'pg_catalog.dutch_stem'     WHEN 'no' THEN 'pg_catalog.norwegian_stem'  WHEN 'nb' THEN 'pg_catalog.norwegian_stem'
        WHEN 'nn' THEN 'pg_catalog.norwegian_stem' WHEN 'pt' THEN 'pg_catalog.portuguese_stem' WHEN 'ro' THEN 'pg_catalog.romanian_stem'
        WHEN 'ru' THEN 'pg_catalog.russian_stem'   WHEN 'sr' THEN 'pg_catalog.serbian_stem'    WHEN 'sv' THEN 'pg_catalog.swedish_stem'
        WHEN 'ta' THEN 'pg_catalog.tamil_stem'     WHEN 'tr' THEN 'pg_catalog.turkish_stem'    WHEN 'yi' THEN 'pg_catalog.yiddish_stem'
        ELSE 'pg_catalog.simple' END::regdictionary
$$;

-- For words of ASCII letters alone: English inside a text whose own script is another, or whose language is unknown or has no dictionary,
-- is stemmed as English, so that "instructions" in a short note is found by "instruction".
CREATE FUNCTION documents.ascii_dictionary(p_language text) RETURNS regdictionary
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_language IN ('ca', 'da', 'de', 'es', 'eu', 'fi', 'fr', 'ga', 'hu', 'id', 'it', 'lt', 'nl', 'no', 'nb', 'nn', 'pt', 'ro', 'sv', 'tr')
        THEN documents.dictionary(p_language) ELSE 'pg_catalog.english_stem'::regdictionary END
$$;

-- '' for a stop word.
CREATE FUNCTION documents.lexeme(p_dictionary regdictionary, p_word text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(documents.unaccent('documents.unaccent'::regdictionary, (ts_lexize(p_dictionary, p_word))[1]), '')
$$;

-- The lexemes of words, in their order; p_languages[i] ('': unknown) is the language of p_words[i].
CREATE FUNCTION documents.lexemes(p_languages text[], p_words text[]) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN ARRAY(
        WITH languages AS MATERIALIZED (
            SELECT l AS language, documents.dictionary(l) AS own, documents.ascii_dictionary(l) AS ascii
            FROM (SELECT DISTINCT unnest(p_languages) AS l) AS l)
        SELECT documents.lexeme(CASE WHEN octet_length(w.word) = char_length(w.word) THEN l.ascii ELSE l.own END, w.word)
        FROM unnest(p_languages, p_words) WITH ORDINALITY AS w (language, word, n) JOIN languages AS l USING (language)
        ORDER BY w.n);
END $$;
