CREATE TABLE @name@.notes (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid        NOT NULL,
    note       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notes_account ON @name@.notes (account_id);

-- Adds a note once, however often its message comes (services/runtime/once.sql), and returns which of the account's it is.
CREATE FUNCTION @name@.add(p_account uuid, p_key text, p_fingerprint bytea, p_keep_s int, p_note text) RETURNS bigint
LANGUAGE plpgsql SET search_path = @name@, pg_temp AS $$
DECLARE
    kept jsonb := once_begin(p_account, p_key, p_fingerprint, p_keep_s);
BEGIN
    IF kept IS NULL THEN
        INSERT INTO notes (account_id, note) VALUES (p_account, p_note);
        kept := once_keep(p_account, p_key, (SELECT to_jsonb(count(*)) FROM notes WHERE account_id = p_account));
    END IF;
    RETURN (kept #>> '{}')::bigint;
END $$;

-- once_sweep with its schema's search_path.
CREATE FUNCTION @name@.sweep_once(p_max int) RETURNS bigint
LANGUAGE sql SET search_path = @name@, pg_temp AS $$
    SELECT once_sweep(p_max)
$$;

-- Least rights: the service works on its tables and owns none of them. Functions are everybody's by default.
GRANT USAGE ON SCHEMA @name@ TO quire_@name@;
GRANT SELECT, INSERT ON @name@.notes TO quire_@name@;
GRANT SELECT, INSERT, UPDATE, DELETE ON @name@.once TO quire_@name@;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA @name@ FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA @name@ TO quire_@name@;
