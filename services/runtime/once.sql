-- Exactly one effect a write: runtime's part of every schema that is written to. `migrate` runs it with search_path set to the
-- service's schema, before the service's own migrations; running it again changes nothing.
--
-- A write is one SQL function of the service's, and one transaction:
--
--     kept := once_begin(account, key, fingerprint, keep_s);      -- waits for a concurrent holder of the same key
--     IF kept IS NULL THEN ... the effect ...; kept := once_keep(account, key, to_jsonb(result)); END IF;
--     RETURN jsonb_populate_record(NULL::result_type, kept);
--
-- A redelivery, or a caller's repetition, finds the record and gets the first answer. A refusal is RAISEd with SQLSTATE 'Q0<status>', which
-- rolls the claim back too: refusals are not kept.

CREATE TABLE IF NOT EXISTS once (
    account_id  uuid        NOT NULL,
    key         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    answer      jsonb,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX IF NOT EXISTS once_expires_at ON once (expires_at);

-- NULL: the caller holds the key, and does the effect. Otherwise the first answer.
CREATE OR REPLACE FUNCTION once_begin(p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    held once;
BEGIN
    INSERT INTO once (account_id, key, fingerprint, expires_at)
    VALUES (p_account, p_key, p_fingerprint, clock_timestamp() + make_interval(secs => p_keep_s))
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO held FROM once WHERE account_id = p_account AND key = p_key FOR UPDATE;
    IF NOT FOUND OR held.expires_at <= clock_timestamp() THEN
        -- Expired but not yet swept away (or swept between the two statements): the key is free again.
        INSERT INTO once (account_id, key, fingerprint, expires_at)
        VALUES (p_account, p_key, p_fingerprint, clock_timestamp() + make_interval(secs => p_keep_s))
        ON CONFLICT (account_id, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, answer = NULL, expires_at = excluded.expires_at;
        RETURN NULL;
    END IF;
    IF held.fingerprint <> p_fingerprint THEN
        RAISE EXCEPTION 'The Idempotency-Key was used before with another request.' USING ERRCODE = 'Q0409';
    END IF;
    IF held.answer IS NOT NULL THEN
        RAISE NOTICE 'kept' USING ERRCODE = 'Q0200'; -- only tells the log that nothing was done again
    END IF;
    RETURN held.answer;
END $$;

-- PL/pgSQL, which keeps its plan: an SQL function that isn't put in line is planned again in every statement that calls it.
CREATE OR REPLACE FUNCTION once_keep(p_account uuid, p_key text, p_answer jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    kept jsonb;
BEGIN
    UPDATE once SET answer = p_answer WHERE account_id = p_account AND key = p_key RETURNING answer INTO kept;
    RETURN kept;
END $$;

-- Removes at most p_max expired records; returns how many.
CREATE OR REPLACE FUNCTION once_sweep(p_max int) RETURNS bigint
LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM once WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM once WHERE expires_at <= clock_timestamp() LIMIT p_max FOR UPDATE SKIP LOCKED))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
