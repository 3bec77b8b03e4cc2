-- If-None-Match of a write is judged where If-Match is: behind the kept answer, on the locked row. The functions are what they were in 003_writes.sql, and
-- for what is new a caller may say nothing: a process that was started before this migration goes on with the statements that it has prepared.

DROP FUNCTION documents.lock_document(uuid, uuid, bigint[]);
DROP FUNCTION documents.replace(uuid, text, bytea, int, text, uuid, bigint[], text, text, text, text, text, int, int[], int[], text[], text[], int[], text[],
    text[]);
DROP FUNCTION documents.remove(uuid, text, bytea, int, text, uuid, bigint[]);

-- The document as it stands, locked; Q0404 first, then Q0412, If-Match before If-None-Match (RFC 9110 13.2.2). p_versions null: If-Match asks for nothing.
-- p_unless: versions that If-None-Match names; p_unless_any: it is `*`.
CREATE FUNCTION documents.lock_document(p_account uuid, p_id uuid, p_versions bigint[], p_unless bigint[], p_unless_any boolean) RETURNS documents.documents
LANGUAGE plpgsql AS $$
DECLARE
    held documents.documents;
BEGIN
    SELECT * INTO held FROM documents.documents WHERE id = p_id AND account_id = p_account FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no such document.' USING ERRCODE = 'Q0404';
    ELSIF p_versions IS NOT NULL AND held.version <> ALL (p_versions) THEN
        RAISE EXCEPTION 'The document has changed: its ETag is now "%".', held.version USING ERRCODE = 'Q0412';
    ELSIF p_unless_any OR held.version = ANY (p_unless) THEN
        RAISE EXCEPTION 'If-None-Match rules this document out: its ETag is "%".', held.version USING ERRCODE = 'Q0412';
    END IF;
    RETURN held;
END $$;

CREATE FUNCTION documents.replace(
    p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_request_id text, p_id uuid, p_versions bigint[],
    p_title text, p_content text, p_tags text, p_metadata text, p_language text, p_chunk_count int,
    p_chunk_items int[], p_chunk_indexes int[], p_headings text[], p_bodies text[],
    p_posting_items int[], p_lexemes text[], p_postings text[], p_unless bigint[] DEFAULT '{}', p_unless_any boolean DEFAULT false)
RETURNS TABLE (ret_version bigint, ret_language text, ret_chunk_count int, ret_created_at timestamptz, ret_updated_at timestamptz)
LANGUAGE plpgsql SET search_path = documents, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    held documents.documents;
    now_ms timestamptz;
    same_passages boolean;
BEGIN
    IF kept IS NULL THEN
        held := documents.lock_document(p_account, p_id, p_versions, p_unless, p_unless_any);
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
    p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_request_id text, p_id uuid, p_versions bigint[],
    p_unless bigint[] DEFAULT '{}', p_unless_any boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = documents, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    held documents.documents;
BEGIN
    IF kept IS NULL THEN
        held := documents.lock_document(p_account, p_id, p_versions, p_unless, p_unless_any);
        DELETE FROM documents.postings WHERE document_id = p_id;
        DELETE FROM documents.chunks WHERE document_id = p_id;
        DELETE FROM documents.documents WHERE id = p_id;
        INSERT INTO documents.outbox (kind, account_id, document_id, version, at, request_id)
        VALUES (3, p_account, p_id, held.version, date_trunc('milliseconds', clock_timestamp()), p_request_id);
        PERFORM once_keep(p_account, p_key, '{}');
        PERFORM documents.count_corpus(p_account, ARRAY[held.language], ARRAY[-1], ARRAY[-held.chunk_count]);
    END IF;
END $$;

-- As 005_grants.sql has it of the functions before them.
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'documents'::regnamespace AND proname IN ('lock_document', 'replace', 'remove') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO quire_documents', f);
    END LOOP;
END $$;
