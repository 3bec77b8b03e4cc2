-- An account has so many live sessions and no more: each stands in Redis for as long as it lives, so who could open them without end would fill it,
-- and everybody's requests with it. Run as 001 is.

-- What a log-in counts. Not by last_seen_at, whose updates are to stay in the page.
CREATE INDEX sessions_live ON sessions (account_id) WHERE revoked_at IS NULL;

-- As the log_in before, which a process of the version before still calls; beyond p_live_max live sessions those that were used least recently end.
-- The first row is the session's; each further one has only the `session` of one that ended. At most 64 end with one log-in, and none that another
-- transaction holds at the moment: what is left ends with the next.
CREATE FUNCTION log_in(p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_verified_hash text, p_better_hash text, p_id uuid,
                       p_token_hash bytea, p_tag bytea, p_idle_s int, p_absolute_s int, p_ip text, p_user_agent text, p_live_max int)
RETURNS TABLE (stale boolean, live boolean, id uuid, session bytea, idle_s int, expires_at timestamptz)
LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
#variable_conflict use_column
DECLARE
    opened record;
    beyond uuid[];
BEGIN
    SELECT * INTO opened FROM log_in(p_account, p_key, p_fingerprint, p_keep_s, p_verified_hash, p_better_hash, p_id, p_token_hash, p_tag, p_idle_s,
                                     p_absolute_s, p_ip, p_user_agent);
    RETURN QUERY SELECT opened.stale, opened.live, opened.id, opened.session, opened.idle_s, opened.expires_at;
    IF opened.live THEN
        beyond := ARRAY(SELECT s.id FROM sessions s WHERE s.account_id = p_account AND s.revoked_at IS NULL AND s.id <> opened.id
                        ORDER BY s.last_seen_at DESC, s.id DESC OFFSET p_live_max - 1 LIMIT 64);
        RETURN QUERY
            UPDATE sessions ended SET revoked_at = now(), redis_synced = false
            WHERE ended.id IN (SELECT s.id FROM sessions s WHERE s.id = ANY (beyond) AND s.revoked_at IS NULL FOR UPDATE SKIP LOCKED)
            RETURNING NULL::boolean, NULL::boolean, NULL::uuid, ended.tag || ended.token_hash, NULL::int, NULL::timestamptz;
    END IF;
END $$;

-- Removes at most p_max sessions that ended, by time or by a call, a day ago, and at most p_max expired once records; returns how many. One that was
-- ended by a call goes when Redis has been told twice.
CREATE OR REPLACE FUNCTION sweep(p_max int) RETURNS bigint LANGUAGE plpgsql SET search_path = session, pg_temp AS $$
DECLARE
    swept bigint;
    swept_more bigint;
BEGIN
    DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sessions WHERE expires_at < now() - interval '1 day' LIMIT p_max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS swept = ROW_COUNT;
    DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sessions WHERE revoked_at < now() - interval '1 day' AND redis_synced LIMIT p_max FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS swept_more = ROW_COUNT;
    RETURN swept + swept_more + once_sweep(p_max);
END $$;

REVOKE ALL ON FUNCTION log_in(uuid, text, bytea, int, text, text, uuid, bytea, bytea, int, int, text, text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_in(uuid, text, bytea, int, text, text, uuid, bytea, bytea, int, int, text, text, int) TO quire_session;
