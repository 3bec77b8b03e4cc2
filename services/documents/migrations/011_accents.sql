-- A word with accents is the word without them. 002_lexemes.sql takes them away after stemming, as a stemmer knows its own language's accents. But a plain
-- word is English's where the text's language is unknown, or has no dictionary, or one for another script (ascii_dictionary): there "naive" became
-- "naiv" and "naïve" stayed whole; and of English "résumés" its own stemmer makes no "resum". So there accents go first, and the word goes the plain one's way.

-- '' for a stop word. PL/pgSQL, as a dictionary that is asked for twice keeps an SQL function from being put in line, and then it is planned anew in
-- every statement (007_plans.sql).
CREATE OR REPLACE FUNCTION documents.lexeme(p_dictionary regdictionary, p_word text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    plain text;
BEGIN
    IF octet_length(p_word) = char_length(p_word) THEN
        RETURN coalesce((ts_lexize(p_dictionary, p_word))[1], '');
    END IF;
    -- Those whose plain words are English's; not Serbian's, whose stemmer reads Latin letters with accents too.
    IF p_dictionary IN ('pg_catalog.simple', 'pg_catalog.english_stem', 'pg_catalog.arabic_stem', 'pg_catalog.armenian_stem', 'pg_catalog.greek_stem',
        'pg_catalog.hindi_stem', 'pg_catalog.nepali_stem', 'pg_catalog.russian_stem', 'pg_catalog.tamil_stem', 'pg_catalog.yiddish_stem') THEN
        plain := documents.unaccent('documents.unaccent'::regdictionary, p_word);
        IF octet_length(plain) = char_length(plain) THEN
            RETURN coalesce((ts_lexize('pg_catalog.english_stem', plain))[1], plain); -- "thé" is no "the"
        END IF;
    END IF;
    RETURN coalesce(documents.unaccent('documents.unaccent'::regdictionary, (ts_lexize(p_dictionary, p_word))[1]), '');
END $$;

-- What is stored gets its words' new lexemes beside the old ones: the entries of a document's old lexeme again under the new one, and of a chunk that has
-- both the heavier. Old rows stay: another word may have made them too, and nobody asks for them else. Words are cut here a little less finely than by
-- services/text/words.c; a word that this doesn't see is found as soon as its document is stored again. So is one of a document that was on its way
-- when this was committed. Reads every passage with accents of those languages once, some 3 MB a second of a core;
-- a migration has 15 minutes (runtime/migrate.c), and what it had done of more than that would be undone.
DO $$
DECLARE
    concerned uuid[];
BEGIN
    -- Held, so that no text is another when its words are read: by the next statement, in a snapshot of its own.
    concerned := ARRAY(
        SELECT d.id FROM documents.documents AS d
        WHERE documents.ascii_dictionary(coalesce(d.language, '')) = 'pg_catalog.english_stem'::regdictionary AND coalesce(d.language, '') <> 'sr'
            AND (octet_length(d.content) <> char_length(d.content) OR octet_length(d.title) <> char_length(d.title))
        FOR SHARE);
    WITH texts AS (
        SELECT d.id, documents.dictionary(coalesce(d.language, '')) AS dictionary, d.title AS text
        FROM documents.documents AS d WHERE d.id = ANY (concerned)
        UNION ALL
        SELECT d.id, documents.dictionary(coalesce(d.language, '')), concat_ws(' ', c.heading, c.body)
        FROM documents.documents AS d JOIN documents.chunks AS c ON c.document_id = d.id WHERE d.id = ANY (concerned)),
    words AS MATERIALIZED (
        -- Without soft hyphens and joiners; lower by Unicode's rules, whatever the database's are.
        SELECT DISTINCT t.id, t.dictionary, lower(w.word[1] COLLATE pg_c_utf8) AS word
        FROM texts AS t CROSS JOIN LATERAL regexp_matches(
            normalize(translate(t.text, U&'\00AD\200C\200D', ''), NFKC) COLLATE pg_c_utf8, '[[:alnum:]]+', 'g') AS w (word)
        WHERE octet_length(t.text) <> char_length(t.text) AND octet_length(w.word[1]) <> char_length(w.word[1])),
    renamed AS MATERIALIZED (
        SELECT DISTINCT * FROM (
            SELECT w.id, documents.unaccent('documents.unaccent'::regdictionary, (ts_lexize(w.dictionary, w.word))[1]) COLLATE "C" AS old,
                documents.lexeme(w.dictionary, w.word) COLLATE "C" AS new
            FROM words AS w) AS r
        WHERE r.old <> r.new),
    entries AS MATERIALIZED (
        SELECT p.account_id, p.document_id, r.new AS lexeme, e.entry >> 8 AS chunk, max(e.entry & 255) AS impact
        FROM renamed AS r JOIN documents.postings AS p ON p.document_id = r.id AND p.lexeme IN (r.old, r.new) CROSS JOIN LATERAL unnest(p.chunks) AS e (entry)
        GROUP BY 1, 2, 3, 4),
    replaced AS (
        DELETE FROM documents.postings AS p USING (SELECT DISTINCT e.document_id, e.lexeme FROM entries AS e) AS e
        WHERE p.document_id = e.document_id AND p.lexeme = e.lexeme),
    added AS (
        INSERT INTO documents.postings (account_id, document_id, lexeme, chunks)
        SELECT e.account_id, e.document_id, e.lexeme, array_agg(e.chunk << 8 | e.impact ORDER BY e.chunk)
        FROM (SELECT *, (row_number() OVER (PARTITION BY x.document_id, x.lexeme ORDER BY x.chunk) - 1) / 256 AS row FROM entries AS x) AS e
        GROUP BY e.account_id, e.document_id, e.lexeme, e.row
        RETURNING account_id),
    -- Whoever keeps lists of these accounts asks for them again (009_postings.sql). Locked in the order of every writer.
    counted AS MATERIALIZED (
        SELECT c.account_id, c.language FROM documents.corpora AS c WHERE c.account_id IN (SELECT a.account_id FROM added AS a)
        ORDER BY c.account_id, c.language FOR UPDATE)
    UPDATE documents.corpora AS c SET chunks = c.chunks FROM counted AS n WHERE c.account_id = n.account_id AND c.language = n.language;
END $$;
