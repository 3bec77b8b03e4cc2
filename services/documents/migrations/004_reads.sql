-- A page of an account's documents, newest first, after (p_at, p_id) unless null. p_words null: no word filter.
-- A word filter means all of them: a document matches when it has every lexeme that its own language's dictionary makes of the words. Stop words
-- are in no index and ask nothing.
CREATE FUNCTION documents.page(p_account uuid, p_limit int, p_at timestamptz, p_id uuid, p_tag text, p_words text[])
RETURNS TABLE (ret_id uuid, ret_title text, ret_tags text[], ret_metadata json, ret_language text, ret_version bigint, ret_chunk_count int,
    ret_created_at timestamptz, ret_updated_at timestamptz)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    after_at timestamptz := coalesce(p_at, 'infinity');
    after_id uuid := coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    found_ids uuid[];
BEGIN
    IF p_tag IS NULL AND p_words IS NULL THEN
        -- Index documents_newest.
        RETURN QUERY SELECT d.id, d.title, d.tags, d.metadata, d.language, d.version, d.chunk_count, d.created_at, d.updated_at
            FROM documents.documents AS d
            WHERE d.account_id = p_account AND (d.created_at, d.id) < (after_at, after_id)
            ORDER BY d.created_at DESC, d.id DESC LIMIT p_limit;
        RETURN;
    END IF;
    IF p_words IS NOT NULL THEN
        -- Index postings_lexeme, then documents' key for those that have enough of the lexemes.
        WITH words AS MATERIALIZED (
            SELECT DISTINCT c.language, documents.lexeme(
                CASE WHEN octet_length(w.word) = char_length(w.word) THEN documents.ascii_dictionary(c.language)
                     ELSE documents.dictionary(c.language) END, w.word) AS lexeme
            FROM documents.corpora AS c CROSS JOIN unnest(p_words) AS w (word) WHERE c.account_id = p_account AND c.documents > 0),
        wanted AS MATERIALIZED (SELECT language, count(*) FILTER (WHERE lexeme <> '') AS needed FROM words GROUP BY language),
        lexemes AS MATERIALIZED (SELECT lexeme FROM words WHERE lexeme <> '' GROUP BY lexeme),
        enough AS MATERIALIZED (
            SELECT p.document_id, array_agg(DISTINCT p.lexeme) AS has
            FROM lexemes AS l JOIN documents.postings AS p ON p.account_id = p_account AND p.lexeme = l.lexeme
            GROUP BY p.document_id
            HAVING count(DISTINCT p.lexeme) >= (SELECT min(needed) FROM wanted WHERE needed > 0))
        SELECT array_agg(m.id) INTO found_ids FROM (
            SELECT d.id FROM enough AS e JOIN documents.documents AS d ON d.id = e.document_id AND d.account_id = p_account
                JOIN wanted AS n ON n.language = coalesce(d.language, '')
            WHERE (SELECT count(*) FROM words AS w WHERE w.language = n.language AND w.lexeme = ANY (e.has)) = n.needed
            UNION
            SELECT d.id FROM documents.documents AS d JOIN wanted AS n ON n.language = coalesce(d.language, '')
            WHERE d.account_id = p_account AND n.needed = 0 AND EXISTS (SELECT FROM wanted WHERE needed = 0)) AS m;
    ELSE
        found_ids := ARRAY(SELECT p.document_id FROM documents.postings AS p WHERE p.account_id = p_account AND p.lexeme = '#' || p_tag);
    END IF;
    RETURN QUERY SELECT d.id, d.title, d.tags, d.metadata, d.language, d.version, d.chunk_count, d.created_at, d.updated_at
        FROM unnest(found_ids) AS f (id) JOIN documents.documents AS d ON d.id = f.id
        WHERE d.account_id = p_account AND (d.created_at, d.id) < (after_at, after_id) AND (p_tag IS NULL OR p_tag = ANY (d.tags))
        ORDER BY d.created_at DESC, d.id DESC LIMIT p_limit;
END $$;

-- The passages that answer a question best, of one account. BM25 over the postings: the sum over the question's lexemes of
-- ln(1 + (N - df + 0.5) / (df + 0.5)) * impact / 255, OR and not AND: a word that no passage has adds nothing. A word becomes a lexeme by the
-- dictionary of each language that the account has documents in; a stop word of the question's own language (p_language, '': unknown)
-- is dropped. At most p_postings_max postings are read for a lexeme, those of the newest documents: one with more is so common that it hardly weighs.
-- Reads postings_lexeme alone for the ranking (index-only), then documents and chunks by key for what is shown.
CREATE FUNCTION documents.search(p_account uuid, p_language text, p_words text[], p_tags text[], p_ids uuid[], p_per_document int, p_top int,
    p_postings_max int)
RETURNS TABLE (ret_document uuid, ret_title text, ret_chunk int, ret_heading text, ret_body text, ret_score float8, ret_language text)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    allowed uuid[] := p_ids; -- null: all
BEGIN
    IF p_tags IS NOT NULL THEN
        allowed := ARRAY(
            SELECT p.document_id FROM documents.postings AS p
            WHERE p.account_id = p_account AND p.lexeme IN (SELECT DISTINCT '#' || t FROM unnest(p_tags) AS t)
            GROUP BY p.document_id
            HAVING count(*) = (SELECT count(DISTINCT t) FROM unnest(p_tags) AS t) AND (p_ids IS NULL OR p.document_id = ANY (p_ids)));
    END IF;
    RETURN QUERY
        WITH corpus AS MATERIALIZED (
            SELECT c.language, c.chunks, documents.dictionary(c.language) AS own, documents.ascii_dictionary(c.language) AS ascii
            FROM documents.corpora AS c WHERE c.account_id = p_account AND c.chunks > 0),
        words AS MATERIALIZED (
            SELECT w.word, octet_length(w.word) = char_length(w.word) AS is_ascii FROM unnest(p_words) AS w (word)
            WHERE p_language = '' OR documents.lexeme(CASE WHEN octet_length(w.word) = char_length(w.word) THEN documents.ascii_dictionary(p_language)
                ELSE documents.dictionary(p_language) END, w.word) <> ''),
        terms AS MATERIALIZED (
            SELECT l.lexeme, CASE WHEN allowed IS NOT NULL THEN
                -- Rarity is the account's, whatever the filter, so that scores mean the same with and without one. Without one it is counted below.
                (SELECT count(*) FROM (
                    SELECT unnest(q.chunks) FROM documents.postings AS q
                    WHERE q.account_id = p_account AND q.lexeme = l.lexeme LIMIT p_postings_max) AS a) END AS df
            FROM (
                SELECT DISTINCT documents.lexeme(CASE WHEN w.is_ascii THEN c.ascii ELSE c.own END, w.word) AS lexeme
                FROM words AS w CROSS JOIN corpus AS c) AS l
            WHERE l.lexeme <> ''),
        ranked AS (
            -- Rounded, so that equal scores are equal in whatever order they were added up.
            SELECT p.document_id, p.entry >> 8 AS chunk,
                round(sum(ln(1 + greatest(n.chunks - p.df + 0.5, 0.5) / (p.df + 0.5)) * (p.entry & 255)) / 255 * 1e6) / 1e6 AS score
            FROM (SELECT sum(c.chunks)::float8 AS chunks FROM corpus AS c) AS n CROSS JOIN terms AS t CROSS JOIN LATERAL (
                SELECT l.document_id, l.entry, coalesce(t.df, count(*) OVER ())::float8 AS df FROM (
                    SELECT q.document_id, unnest(q.chunks) AS entry FROM documents.postings AS q
                    WHERE q.account_id = p_account AND q.lexeme = t.lexeme
                        AND (allowed IS NULL OR q.document_id IN (SELECT unnest(allowed)))
                    ORDER BY q.document_id DESC LIMIT p_postings_max) AS l) AS p
            GROUP BY p.document_id, p.entry >> 8
            ORDER BY score DESC, p.document_id, chunk
            LIMIT CASE WHEN p_per_document IS NULL THEN p_top END),
        top AS MATERIALIZED (
            SELECT r.document_id, r.chunk, r.score FROM (
                SELECT *, row_number() OVER (PARTITION BY ranked.document_id ORDER BY ranked.score DESC, ranked.chunk) AS place FROM ranked) AS r
            WHERE p_per_document IS NULL OR r.place <= p_per_document
            ORDER BY r.score DESC, r.document_id, r.chunk LIMIT p_top)
        SELECT t.document_id, d.title, t.chunk, c.heading, c.body, t.score, coalesce(d.language, '')
        FROM top AS t JOIN documents.documents AS d ON d.id = t.document_id AND d.account_id = p_account
            JOIN documents.chunks AS c ON c.document_id = t.document_id AND c.chunk_index = t.chunk
        ORDER BY t.score DESC, t.document_id, t.chunk;
END $$;
