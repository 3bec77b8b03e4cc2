-- What every write calls is PL/pgSQL, for its plans: PostgreSQL 17 parses and plans the body of an SQL function again in every statement that calls it,
-- where it can't be put in line; a PL/pgSQL function keeps its plans for the life of a connection. What each does is told in 003_writes.sql.

CREATE OR REPLACE FUNCTION documents.count_corpus(p_account uuid, p_languages text[], p_documents int[], p_chunks int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents.corpora AS c (account_id, language, documents, chunks)
    SELECT p_account, coalesce(d.language, ''), sum(d.documents), sum(d.chunks)
    FROM unnest(p_languages, p_documents, p_chunks) AS d (language, documents, chunks)
    GROUP BY coalesce(d.language, '') ORDER BY coalesce(d.language, '')
    ON CONFLICT (account_id, language) DO UPDATE
        SET documents = c.documents + excluded.documents, chunks = c.chunks + excluded.chunks;
END $$;

CREATE OR REPLACE FUNCTION documents.add_passages(
    p_account uuid, p_ids uuid[], p_chunk_items int[], p_chunk_indexes int[], p_headings text[], p_bodies text[],
    p_posting_items int[], p_lexemes text[], p_postings text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents.chunks (document_id, chunk_index, account_id, heading, body)
    SELECT p_ids[c.item], c.index, p_account, nullif(c.heading, ''), c.body
    FROM unnest(p_chunk_items, p_chunk_indexes, p_headings, p_bodies) AS c (item, index, heading, body);
    INSERT INTO documents.postings (account_id, document_id, lexeme, chunks)
    SELECT p_account, p_ids[p.item], p.lexeme, p.chunks::int[]
    FROM unnest(p_posting_items, p_lexemes, p_postings) AS p (item, lexeme, chunks);
END $$;

CREATE OR REPLACE FUNCTION documents.add_tags(p_account uuid, p_id uuid, p_tags text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents.postings (account_id, document_id, lexeme, chunks)
    SELECT DISTINCT p_account, p_id, '#' || t, '{}'::int[] FROM unnest(p_tags) AS t;
END $$;
