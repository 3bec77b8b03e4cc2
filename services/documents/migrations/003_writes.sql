-- Every write is one of these functions, one statement, one transaction, with its idempotency record (once_begin, once_keep).
-- Locks are always taken in this order: once, the document, corpora by language; so writers wait for each other, but never in a ring.

-- Adds to the corpus counts; the arrays are parallel, and may name a language twice.
CREATE FUNCTION documents.count_corpus(p_account uuid, p_languages text[], p_documents int[], p_chunks int[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO documents.corpora AS c (account_id, language, documents, chunks)
    SELECT p_account, coalesce(d.language, ''), sum(d.documents), sum(d.chunks)
    FROM unnest(p_languages, p_documents, p_chunks) AS d (language, documents, chunks)
    GROUP BY coalesce(d.language, '') ORDER BY coalesce(d.language, '')
    ON CONFLICT (account_id, language) DO UPDATE
        SET documents = c.documents + excluded.documents, chunks = c.chunks + excluded.chunks
$$;

-- Chunks and postings of new documents. *_items say (from 1) to which of p_ids an entry belongs; a posting is an int[] as text.
CREATE FUNCTION documents.add_passages(
    p_account uuid, p_ids uuid[], p_chunk_items int[], p_chunk_indexes int[], p_headings text[], p_bodies text[],
    p_posting_items int[], p_lexemes text[], p_postings text[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO documents.chunks (document_id, chunk_index, account_id, heading, body)
    SELECT p_ids[c.item], c.index, p_account, nullif(c.heading, ''), c.body
    FROM unnest(p_chunk_items, p_chunk_indexes, p_headings, p_bodies) AS c (item, index, heading, body);
    INSERT INTO documents.postings (account_id, document_id, lexeme, chunks)
    SELECT p_account, p_ids[p.item], p.lexeme, p.chunks::int[]
    FROM unnest(p_posting_items, p_lexemes, p_postings) AS p (item, lexeme, chunks);
$$;

CREATE FUNCTION documents.add_tags(p_account uuid, p_id uuid, p_tags text[]) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO documents.postings (account_id, document_id, lexeme, chunks)
    SELECT DISTINCT p_account, p_id, '#' || t, '{}'::int[] FROM unnest(p_tags) AS t
$$;

-- Stores documents; one row each, in their order. p_tags are text[] as text, p_languages '' where unknown.
CREATE FUNCTION documents.store(
    p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_request_id text,
    p_ids uuid[], p_titles text[], p_contents text[], p_tags text[], p_metadata text[], p_languages text[], p_chunk_counts int[],
    p_chunk_items int[], p_chunk_indexes int[], p_headings text[], p_bodies text[],
    p_posting_items int[], p_lexemes text[], p_postings text[])
RETURNS TABLE (ret_id uuid, ret_language text, ret_chunk_count int, ret_at timestamptz)
LANGUAGE plpgsql SET search_path = documents, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    now_ms timestamptz;
BEGIN
    IF kept IS NULL THEN
        now_ms := date_trunc('milliseconds', clock_timestamp());
        INSERT INTO documents.documents (id, account_id, title, content, tags, metadata, language, chunk_count, created_at, updated_at)
        SELECT d.id, p_account, d.title, d.content, d.tags::text[], d.metadata::json, nullif(d.language, ''), d.chunk_count, now_ms, now_ms
        FROM unnest(p_ids, p_titles, p_contents, p_tags, p_metadata, p_languages, p_chunk_counts)
            AS d (id, title, content, tags, metadata, language, chunk_count);
        PERFORM documents.add_passages(p_account, p_ids, p_chunk_items, p_chunk_indexes, p_headings, p_bodies, p_posting_items, p_lexemes, p_postings);
        PERFORM documents.add_tags(p_account, t.id, t.tags::text[]) FROM unnest(p_ids, p_tags) AS t (id, tags) WHERE t.tags <> '{}';
        INSERT INTO documents.outbox (kind, account_id, document_id, version, at, request_id)
        SELECT 1, p_account, i.id, 1, now_ms, p_request_id FROM unnest(p_ids) WITH ORDINALITY AS i (id, n) ORDER BY i.n;
        kept := once_keep(p_account, p_key, (
            SELECT jsonb_build_object('at', now_ms, 'items', jsonb_agg(jsonb_build_array(i.id, i.language, i.chunk_count) ORDER BY i.n))
            FROM unnest(p_ids, p_languages, p_chunk_counts) WITH ORDINALITY AS i (id, language, chunk_count, n)));
        PERFORM documents.count_corpus(p_account, p_languages, array_fill(1, ARRAY[cardinality(p_ids)]), p_chunk_counts);
    END IF;
    RETURN QUERY
        SELECT (i.item->>0)::uuid, nullif(i.item->>1, ''), (i.item->>2)::int, (kept->>'at')::timestamptz
        FROM jsonb_array_elements(kept->'items') WITH ORDINALITY AS i (item, n) ORDER BY i.n;
END $$;

-- The document as it stands, locked; Q0404 first, then Q0412. p_versions null: no condition.
CREATE FUNCTION documents.lock_document(p_account uuid, p_id uuid, p_versions bigint[]) RETURNS documents.documents
LANGUAGE plpgsql AS $$
DECLARE
    held documents.documents;
BEGIN
    SELECT * INTO held FROM documents.documents WHERE id = p_id AND account_id = p_account FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such document.' USING ERRCODE = 'Q0404';
    ELSIF p_versions IS NOT NULL AND held.version <> ALL (p_versions) THEN
        RAISE EXCEPTION 'The document has changed: its ETag is now "%".', held.version USING ERRCODE = 'Q0412';
    END IF;
    RETURN held;
END $$;

CREATE FUNCTION documents.replace(
    p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_request_id text, p_id uuid, p_versions bigint[],
    p_title text, p_content text, p_tags text, p_metadata text, p_language text, p_chunk_count int,
    p_chunk_items int[], p_chunk_indexes int[], p_headings text[], p_bodies text[],
    p_posting_items int[], p_lexemes text[], p_postings text[])
RETURNS TABLE (ret_version bigint, ret_language text, ret_chunk_count int, ret_created_at timestamptz, ret_updated_at timestamptz)
LANGUAGE plpgsql SET search_path = documents, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    held documents.documents;
    now_ms timestamptz;
    same_passages boolean;
BEGIN
    IF kept IS NULL THEN
        held := documents.lock_document(p_account, p_id, p_versions);
        now_ms := greatest(date_trunc('milliseconds', clock_timestamp()), held.updated_at);
        -- Only tags or metadata changed: passages and postings stay.
        same_passages := held.title = p_title AND held.language IS NOT DISTINCT FROM nullif(p_language, '')
            AND held.chunk_count = p_chunk_count AND held.content = p_content;
        UPDATE documents.documents SET title = p_title, content = p_content, tags = p_tags::text[], metadata = p_metadata::json,
            language = nullif(p_language, ''), version = held.version + 1, chunk_count = p_chunk_count, updated_at = now_ms
        WHERE id = p_id;
        IF same_passages THEN
            DELETE FROM documents.postings WHERE document_id = p_id AND lexeme >= '#' AND lexeme < '$';
        ELSE
            DELETE FROM documents.chunks WHERE document_id = p_id;
            DELETE FROM documents.postings WHERE document_id = p_id;
            PERFORM documents.add_passages(p_account, ARRAY[p_id], p_chunk_items, p_chunk_indexes, p_headings, p_bodies, p_posting_items, p_lexemes,
                p_postings);
        END IF;
        PERFORM documents.add_tags(p_account, p_id, p_tags::text[]);
        INSERT INTO documents.outbox (kind, account_id, document_id, version, at, request_id)
        VALUES (2, p_account, p_id, held.version + 1, now_ms, p_request_id);
        kept := once_keep(p_account, p_key, jsonb_build_array(held.version + 1, p_language, p_chunk_count, held.created_at, now_ms));
        IF NOT same_passages THEN
            PERFORM documents.count_corpus(p_account, ARRAY[held.language, p_language], ARRAY[-1, 1], ARRAY[-held.chunk_count, p_chunk_count]);
        END IF;
    END IF;
    RETURN QUERY SELECT (kept->>0)::bigint, nullif(kept->>1, ''), (kept->>2)::int, (kept->>3)::timestamptz, (kept->>4)::timestamptz;
END $$;

CREATE FUNCTION documents.remove(
    p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_request_id text, p_id uuid, p_versions bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = documents, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    held documents.documents;
BEGIN
    IF kept IS NULL THEN
        held := documents.lock_document(p_account, p_id, p_versions);
        DELETE FROM documents.postings WHERE document_id = p_id;
        DELETE FROM documents.chunks WHERE document_id = p_id;
        DELETE FROM documents.documents WHERE id = p_id;
        INSERT INTO documents.outbox (kind, account_id, document_id, version, at, request_id)
        VALUES (3, p_account, p_id, held.version, date_trunc('milliseconds', clock_timestamp()), p_request_id);
        PERFORM once_keep(p_account, p_key, '{}');
        PERFORM documents.count_corpus(p_account, ARRAY[held.language], ARRAY[-1], ARRAY[-held.chunk_count]);
    END IF;
END $$;

-- The oldest events, for the one relay that holds the lock. The lock belongs to the connection: whoever loses the one has lost the other, and
-- taking it again where it is held only counts up.
CREATE FUNCTION documents.outbox_take(p_max int) RETURNS SETOF documents.outbox
LANGUAGE plpgsql AS $$
BEGIN
    IF pg_try_advisory_lock(hashtextextended('quire.documents.outbox', 0)) THEN
        RETURN QUERY SELECT * FROM documents.outbox ORDER BY sequence LIMIT p_max;
    END IF;
END $$;

-- once_sweep with its schema's search_path.
CREATE FUNCTION documents.sweep_once(p_max int) RETURNS bigint
LANGUAGE sql SET search_path = documents, pg_temp AS $$
    SELECT once_sweep(p_max)
$$;
