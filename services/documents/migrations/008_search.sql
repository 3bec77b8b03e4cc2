-- The passages that answer a question best, of one account: what 004_reads.sql says of it holds, and each score is the same.
-- A lexeme's rarity is added up from the lengths of its postings before they are unpacked. Counting the entries by a window over each list, and taking the
-- logarithm for every entry, lost: with 10,000 passages and 24 natural questions 6.1 ms of CPU a search against 4.4.
CREATE OR REPLACE FUNCTION documents.search(p_account uuid, p_language text, p_words text[], p_tags text[], p_ids uuid[], p_per_document int, p_top int,
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
            -- Rarity is the account's, whatever the filter, so that scores mean the same with and without one.
            SELECT l.lexeme, ln(1 + greatest(n.chunks - d.df + 0.5, 0.5) / (d.df + 0.5)) / 255 AS weight
            FROM (SELECT sum(c.chunks)::float8 AS chunks FROM corpus AS c) AS n CROSS JOIN (
                SELECT DISTINCT documents.lexeme(CASE WHEN w.is_ascii THEN c.ascii ELSE c.own END, w.word) AS lexeme
                FROM words AS w CROSS JOIN corpus AS c) AS l
            CROSS JOIN LATERAL (
                SELECT least(sum(cardinality(a.chunks)), p_postings_max)::float8 AS df FROM (
                    SELECT q.chunks FROM documents.postings AS q
                    WHERE q.account_id = p_account AND q.lexeme = l.lexeme
                    ORDER BY q.document_id DESC LIMIT p_postings_max) AS a) AS d
            WHERE l.lexeme <> '' AND d.df > 0),
        ranked AS (
            -- Rounded, so that equal scores are equal in whatever order they were added up.
            SELECT p.document_id, p.entry >> 8 AS chunk, round(sum(t.weight * (p.entry & 255)) * 1e6) / 1e6 AS score
            FROM terms AS t CROSS JOIN LATERAL (
                SELECT q.document_id, unnest(q.chunks) AS entry FROM documents.postings AS q
                WHERE q.account_id = p_account AND q.lexeme = t.lexeme AND (allowed IS NULL OR q.document_id IN (SELECT unnest(allowed)))
                ORDER BY q.document_id DESC LIMIT p_postings_max) AS p
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
