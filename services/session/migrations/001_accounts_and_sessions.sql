-- Accounts and sessions. Run as the owner with search_path set to the schema, after runtime/once.sql.
--
-- PostgreSQL is the truth; Redis has a copy of what lives. Every write is one function, and so one statement and one transaction; each sets
-- its own search_path, so that neither it nor once_begin depends on the caller's.

CREATE TABLE accounts (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,         -- as registered
    email_folded  text        NOT NULL UNIQUE,  -- as compared: quire_email_fold
    password_hash text        NOT NULL,         -- Argon2id with its parameters, as libsodium writes it
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- last_seen_at trails Redis by up to 1/288 of idle_s and a round of the upkeep: whoever loads sessions from here allows for it.
CREATE TABLE sessions (
    id           uuid        PRIMARY KEY,
    account_id   uuid        NOT NULL REFERENCES accounts (id),
    token_hash   bytea       NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    tag          bytea       NOT NULL CHECK (octet_length(tag) = 2),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    idle_s       int         NOT NULL CHECK (idle_s > 0),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    redis_synced boolean     NOT NULL DEFAULT false, -- the revocation has been repeated in Redis by the upkeep
    ip           text,
    user_agent   text
) WITH (fillfactor = 85); -- last_seen_at stands in no index: its updates stay in the page
CREATE INDEX sessions_account ON sessions (account_id, id DESC);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_unsynced ON sessions (revoked_at) WHERE revoked_at IS NOT NULL AND NOT redis_synced;

-- Opens an account. 409 when the folded address is taken. An account that doesn't exist yet can't own the record of the attempt: nobody (the
-- nil UUID) does.
CREATE FUNCTION register(p_key text, p_fingerprint bytea, p_keep_s int, p_id uuid, p_email text, p_email_folded text, p_password_hash text)
RETURNS SETOF accounts LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
DECLARE
    nobody constant uuid := '00000000-0000-0000-0000-000000000000';
    kept jsonb := once_begin(nobody, p_key, p_fingerprint, p_keep_s);
BEGIN
    IF kept IS NULL THEN
        INSERT INTO accounts (id, email, email_folded, password_hash) VALUES (p_id, p_email, p_email_folded, p_password_hash)
        ON CONFLICT (email_folded) DO NOTHING;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'There is an account with this e-mail address already.' USING ERRCODE = 'Q0409';
        END IF;
        kept := once_keep(nobody, p_key, jsonb_build_object('account', p_id));
    END IF;
    RETURN QUERY SELECT * FROM accounts WHERE id = (kept ->> 'account')::uuid;
END $$;

-- Opens a session for a password that was verified against p_verified_hash. `stale`: the account's hash is another by now, so nothing was done
-- and the password must be verified again; else a session could outlive the change of the password that opened it. `live`: false when the
-- session, opened by an earlier delivery, has ended since.
CREATE FUNCTION log_in(p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_verified_hash text, p_better_hash text, p_id uuid,
                       p_token_hash bytea, p_tag bytea, p_idle_s int, p_absolute_s int, p_ip text, p_user_agent text)
RETURNS TABLE (stale boolean, live boolean, id uuid, session bytea, idle_s int, expires_at timestamptz)
LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
#variable_conflict use_column
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    held text;
BEGIN
    IF kept IS NULL THEN
        IF p_better_hash IS NULL THEN
            SELECT a.password_hash INTO held FROM accounts a WHERE a.id = p_account FOR SHARE;
        ELSE
            SELECT a.password_hash INTO held FROM accounts a WHERE a.id = p_account FOR NO KEY UPDATE;
        END IF;
        IF held IS DISTINCT FROM p_verified_hash THEN
            -- The claim stays without an answer, which once_begin gives to the next call as unclaimed.
            RETURN QUERY SELECT true, false, NULL::uuid, NULL::bytea, NULL::int, NULL::timestamptz;
            RETURN;
        END IF;
        UPDATE accounts SET password_hash = p_better_hash WHERE accounts.id = p_account AND p_better_hash IS NOT NULL;
        INSERT INTO sessions (id, account_id, token_hash, tag, idle_s, expires_at, ip, user_agent)
        VALUES (p_id, p_account, p_token_hash, p_tag, p_idle_s, now() + make_interval(secs => p_absolute_s), p_ip, p_user_agent);
        kept := once_keep(p_account, p_key, jsonb_build_object('session', p_id));
    END IF;
    RETURN QUERY SELECT false, s.revoked_at IS NULL AND s.expires_at > clock_timestamp(), s.id, s.tag || s.token_hash, s.idle_s, s.expires_at
                 FROM sessions s WHERE s.id = (kept ->> 'session')::uuid;
END $$;

-- Ends the session of this id, or of this token. An id that is no live session of the account is a 404; a token's session that has ended is what
-- the caller wanted. Returns the key of what has ended.
CREATE FUNCTION revoke(p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_id uuid, p_token_hash bytea)
RETURNS TABLE (session bytea) LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    ended uuid;
BEGIN
    IF kept IS NULL THEN
        IF p_id IS NOT NULL THEN
            UPDATE sessions s SET revoked_at = now(), redis_synced = false
            WHERE s.id = p_id AND s.account_id = p_account AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp() RETURNING s.id INTO ended;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'There is no such session.' USING ERRCODE = 'Q0404';
            END IF;
        ELSE
            UPDATE sessions s SET revoked_at = coalesce(s.revoked_at, now()), redis_synced = false
            WHERE s.token_hash = p_token_hash AND s.account_id = p_account RETURNING s.id INTO ended;
        END IF;
        kept := once_keep(p_account, p_key, jsonb_build_object('session', ended));
    END IF;
    RETURN QUERY SELECT s.tag || s.token_hash FROM sessions s WHERE s.id = (kept ->> 'session')::uuid;
END $$;

-- Sets a new password and ends every session but the one of p_token_hash. One row for each that this call ended, or a single one with `stale`
-- (as log_in).
CREATE FUNCTION change_password(p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_verified_hash text, p_new_hash text,
                                p_token_hash bytea)
RETURNS TABLE (stale boolean, session bytea) LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
    held text;
BEGIN
    IF kept IS NULL THEN
        SELECT a.password_hash INTO held FROM accounts a WHERE a.id = p_account FOR NO KEY UPDATE;
        IF held IS DISTINCT FROM p_verified_hash THEN
            RETURN QUERY SELECT true, NULL::bytea;
            RETURN;
        END IF;
        UPDATE accounts SET password_hash = p_new_hash WHERE id = p_account;
        UPDATE sessions s SET revoked_at = now(), redis_synced = false
        WHERE s.account_id = p_account AND s.token_hash <> p_token_hash AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp();
        kept := once_keep(p_account, p_key, jsonb_build_object('at', now()));
    END IF;
    -- By the transaction's own time: a redelivery finds the same ones, and repeats their end in Redis.
    RETURN QUERY SELECT false, s.tag || s.token_hash FROM sessions s
                 WHERE s.account_id = p_account AND s.revoked_at = (kept ->> 'at')::timestamptz;
END $$;

-- Removes at most p_max sessions that ended by time a day ago and at most p_max expired once records; returns how many.
CREATE FUNCTION sweep(p_max int) RETURNS bigint LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
DECLARE
    swept bigint;
BEGIN
    DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT p_max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept + once_sweep(p_max);
END $$;

-- True when this connection holds the lock, taken now or before: of all processes one loads, and one does the upkeep. It falls with the connection.
CREATE FUNCTION lead(p_lock int) RETURNS boolean LANGUAGE sql SET search_path = session, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
                             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                             AND classid = 1903520114 AND objid = p_lock::oid AND objsubid = 2)
                THEN true ELSE pg_try_advisory_lock(1903520114, p_lock) END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA session FROM PUBLIC;
GRANT USAGE ON SCHEMA session TO quire_session;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA session TO quire_session;
GRANT SELECT, INSERT, UPDATE (password_hash) ON accounts TO quire_session;
GRANT SELECT, INSERT, DELETE, UPDATE (last_seen_at, revoked_at, redis_synced) ON sessions TO quire_session;
GRANT SELECT, INSERT, UPDATE, DELETE ON once TO quire_session;
