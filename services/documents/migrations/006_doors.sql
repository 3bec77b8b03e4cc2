-- What the documents service opens to consumers of its events, so that none has to read its tables.

-- The oldest events with what their documents say of themselves, where that is still the version the event tells of; else nulls, and a newer event of
-- the document stands behind. Index documents_pkey. (The lock: 003_writes.sql.)
DROP FUNCTION documents.outbox_take(int);
CREATE FUNCTION documents.outbox_take(p_max int)
RETURNS TABLE (sequence bigint, kind int, account_id uuid, document_id uuid, version bigint, at timestamptz, request_id text,
    title text, tags text[], language text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF pg_try_advisory_lock(hashtextextended('quire.documents.outbox', 0)) THEN
        RETURN QUERY
            SELECT o.sequence, o.kind, o.account_id, o.document_id, o.version, o.at, o.request_id, d.title, d.tags, d.language
            FROM (SELECT * FROM documents.outbox ORDER BY sequence LIMIT p_max) AS o
            LEFT JOIN documents.documents AS d ON d.id = o.document_id AND d.version = o.version AND o.kind <> 3
            ORDER BY o.sequence;
    END IF;
END $$;

-- A document's text as it stands, for a service that works on every document: no row when it is gone. A consumer's own migration grants it to its
-- role; nobody else has it.
CREATE FUNCTION documents.text(p_id uuid) RETURNS TABLE (ret_account uuid, ret_version bigint, ret_title text, ret_content text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = documents, pg_temp AS $$
    SELECT account_id, version, title, content FROM documents WHERE id = p_id
$$;

-- Tells p_max documents with an id above p_after again, so that a consumer that came later than the topic reaches back hears of them. Returns the last
-- one's id; null when there was none. Each row is locked before its event gets a number: a change or removal comes behind.
CREATE FUNCTION documents.tell_again(p_after uuid, p_max int) RETURNS uuid
LANGUAGE sql SET search_path = documents, pg_temp AS $$
    WITH chosen AS (
        SELECT id, account_id, version FROM documents WHERE id > p_after ORDER BY id LIMIT p_max FOR SHARE),
    told AS (
        INSERT INTO outbox (kind, account_id, document_id, version, at, request_id)
        SELECT 2, account_id, id, version, date_trunc('milliseconds', clock_timestamp()), 'tell-again' FROM chosen
        RETURNING document_id)
    SELECT document_id FROM told ORDER BY document_id DESC LIMIT 1
$$;

REVOKE EXECUTE ON FUNCTION documents.outbox_take(int), documents.text(uuid), documents.tell_again(uuid, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION documents.outbox_take(int) TO quire_documents;
