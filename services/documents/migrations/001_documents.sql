-- Documents, their passages, and the index that finds them. Run as the owner, search_path = documents.

CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA documents;

CREATE TABLE documents.documents (
    id          uuid        PRIMARY KEY,
    account_id  uuid        NOT NULL,
    title       text        NOT NULL,
    content     text        COMPRESSION lz4 NOT NULL,
    tags        text[]      NOT NULL,
    metadata    json        NOT NULL, -- not jsonb: numbers and members stay as they were given
    language    text,                 -- ISO 639-1; null: unknown
    version     bigint      NOT NULL DEFAULT 1,
    chunk_count int         NOT NULL,
    created_at  timestamptz NOT NULL, -- whole milliseconds, as every answer shows it
    updated_at  timestamptz NOT NULL
);
-- Lists: newest first, by keyset.
CREATE INDEX documents_newest ON documents.documents (account_id, created_at DESC, id DESC);

CREATE TABLE documents.chunks (
    document_id uuid NOT NULL,
    chunk_index int  NOT NULL,
    account_id  uuid NOT NULL,
    heading     text,
    body        text COMPRESSION lz4 NOT NULL,
    PRIMARY KEY (document_id, chunk_index)
);

-- The inverted index: in which chunks of a document a lexeme stands. One row for each lexeme of a document, or several, of at most 256 chunks each,
-- so that a row fits into an index entry.
-- Why not a tsvector with GIN: GIN keeps one list for a lexeme over all accounts, so one account's search would pay for everybody's
-- documents; ranking by rarity would read and unpack every candidate's tsvector; and its pending list makes every search slower in bursts.
-- Here the account leads the key, a search reads exactly its own account's lists (index-only: the chunks are in the index, one list lies on
-- neighbouring pages), and a lexeme's document frequency is the list's length: no counters for writers to lock.
CREATE TABLE documents.postings (
    account_id  uuid  NOT NULL,
    document_id uuid  NOT NULL,
    lexeme      text  COLLATE "C" NOT NULL, -- a tag is kept as '#tag', which no lexeme can be
    chunks      int[] NOT NULL              -- chunk_index << 8 | impact (services/documents/postings.h)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05); -- soon all-visible, for index-only scans
CREATE INDEX postings_lexeme ON documents.postings (account_id, lexeme, document_id) INCLUDE (chunks);
CREATE INDEX postings_document ON documents.postings (document_id); -- for removal; deduplicated, a few bytes a row

-- How large an account's corpus is in each language ('': unknown), for rarity and for the dictionaries that a question needs.
CREATE TABLE documents.corpora (
    account_id uuid   NOT NULL,
    language   text   NOT NULL,
    documents  bigint NOT NULL,
    chunks     bigint NOT NULL,
    PRIMARY KEY (account_id, language)
) WITH (fillfactor = 50);

-- What the relay has still to tell the world. A row's sequence is drawn while its document is locked, so one document's events are in order.
CREATE TABLE documents.outbox (
    sequence    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        int         NOT NULL, -- quire.DocumentEvent.Kind
    account_id  uuid        NOT NULL,
    document_id uuid        NOT NULL,
    version     bigint      NOT NULL,
    at          timestamptz NOT NULL,
    request_id  text        NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
