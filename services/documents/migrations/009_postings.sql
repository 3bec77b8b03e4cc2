-- What a service needs that adds up the scores of documents.search() itself, and keeps the lists for as long as they stand (services/query/ranking.h).

-- Which state of an account's passages this is: another value after every change of what can be searched, never one that was there before (a counter
-- would come again after a restore, or on a promoted replica). Set by the table, so that no writer can forget it.
ALTER TABLE documents.corpora ADD COLUMN stamp uuid NOT NULL DEFAULT gen_random_uuid();

CREATE FUNCTION documents.stamp_corpus() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.stamp := gen_random_uuid();
    RETURN NEW;
END $$;

CREATE TRIGGER corpora_stamp BEFORE UPDATE ON documents.corpora FOR EACH ROW EXECUTE FUNCTION documents.stamp_corpus();

-- Of all languages together, 32 bytes. Equal only where passages, postings, titles and counts are equal: each write of theirs also counts the corpus,
-- in the same transaction (003_writes.sql), and writers of one language wait for each other at its row.
CREATE FUNCTION documents.stamp(p_account uuid) RETURNS bytea
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT sha256(coalesce(string_agg(uuid_send(c.stamp), '' ORDER BY c.language), '')) FROM documents.corpora AS c WHERE c.account_id = p_account);
END $$;

-- The lists of a question's lexemes, as documents.search() would read them without filters, but for those in p_known when p_stamp is still the state.
-- ret_lexemes is by language and word: those of ret_languages, then, when it is none of them and not '', those of p_language.
-- ret_terms are the lexemes whose lists follow: in ret_documents ids of 16 bytes, newest first, in ret_entries for each of them what array_send() makes of
-- postings.chunks. All three are null when there would be more than p_lists_max of them. Index postings_lexeme.
CREATE FUNCTION documents.postings(p_account uuid, p_language text, p_words text[], p_stamp bytea, p_known text[], p_postings_max int, p_lists_max int)
RETURNS TABLE (ret_stamp bytea, ret_chunks bigint, ret_languages text[], ret_lexemes text[], ret_terms text[], ret_documents bytea[], ret_entries bytea[])
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    asked text[]; -- languages
    terms text[];
BEGIN
    ret_stamp := documents.stamp(p_account);
    SELECT coalesce(sum(c.chunks), 0), coalesce(array_agg(c.language ORDER BY c.language), '{}') INTO ret_chunks, ret_languages
        FROM documents.corpora AS c WHERE c.account_id = p_account AND c.chunks > 0;
    asked := ret_languages;
    IF p_language <> '' AND p_language <> ALL (asked) THEN
        asked := asked || p_language;
    END IF;
    SELECT documents.lexemes(coalesce(array_agg(l.language ORDER BY l.n, w.n), '{}'), coalesce(array_agg(w.word ORDER BY l.n, w.n), '{}')) INTO ret_lexemes
        FROM unnest(asked) WITH ORDINALITY AS l (language, n) CROSS JOIN unnest(p_words) WITH ORDINALITY AS w (word, n);
    terms := ARRAY(
        SELECT DISTINCT x.lexeme
        FROM unnest(ret_lexemes) WITH ORDINALITY AS x (lexeme, n)
        WHERE x.lexeme <> '' AND x.n <= cardinality(ret_languages) * cardinality(p_words)
            -- No stop word of the question's language.
            AND (p_language = '' OR ret_lexemes[(array_position(asked, p_language) - 1) * cardinality(p_words) + (x.n - 1) % cardinality(p_words) + 1] <> '')
            AND (p_stamp IS DISTINCT FROM ret_stamp OR x.lexeme <> ALL (p_known)));
    IF cardinality(terms) <= p_lists_max THEN
        SELECT coalesce(array_agg(t.lexeme), '{}'), coalesce(array_agg(coalesce(l.documents, '')), '{}'), coalesce(array_agg(coalesce(l.entries, '')), '{}')
            INTO ret_terms, ret_documents, ret_entries
            FROM unnest(terms) AS t (lexeme) CROSS JOIN LATERAL (
                SELECT string_agg(uuid_send(q.document_id), '') AS documents, string_agg(array_send(q.chunks), '') AS entries FROM (
                    SELECT p.document_id, p.chunks FROM documents.postings AS p
                    WHERE p.account_id = p_account AND p.lexeme = t.lexeme
                    ORDER BY p.document_id DESC LIMIT p_postings_max) AS q) AS l;
    END IF;
    RETURN NEXT;
END $$;

-- What is shown of passages, if p_stamp is still the account's state: a first row of place 0, then a row for each passage with its place, from 1, in
-- the arrays. No row when the state is another one. Keys of documents and chunks.
CREATE FUNCTION documents.passages(p_account uuid, p_stamp bytea, p_ids uuid[], p_chunks int[])
RETURNS TABLE (ret_place int, ret_title text, ret_body text, ret_language text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF documents.stamp(p_account) = p_stamp THEN
        RETURN QUERY
            SELECT 0, '', '', ''
            UNION ALL
            SELECT k.place::int, d.title, c.body, coalesce(d.language, '')
            FROM unnest(p_ids, p_chunks) WITH ORDINALITY AS k (id, chunk, place)
                JOIN documents.documents AS d ON d.id = k.id AND d.account_id = p_account
                JOIN documents.chunks AS c ON c.document_id = k.id AND c.chunk_index = k.chunk;
    END IF;
END $$;

REVOKE EXECUTE ON FUNCTION documents.stamp_corpus(), documents.stamp(uuid), documents.postings(uuid, text, text[], bytea, text[], int, int),
    documents.passages(uuid, bytea, uuid[], int[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION documents.stamp(uuid), documents.postings(uuid, text, text[], bytea, text[], int, int),
    documents.passages(uuid, bytea, uuid[], int[]) TO quire_query;
