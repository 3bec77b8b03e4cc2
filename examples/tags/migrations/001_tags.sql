-- One row a document that has tags, of the newest version heard of. Written from quire.documents.events, read by GET /tags.
CREATE TABLE tags.documents (
    document_id uuid   PRIMARY KEY,
    account_id  uuid   NOT NULL,
    version     bigint NOT NULL,
    tags        text[] NOT NULL
);
CREATE INDEX documents_account ON tags.documents (account_id);

GRANT USAGE ON SCHEMA tags TO quire_tags;
GRANT SELECT, INSERT, UPDATE, DELETE ON tags.documents TO quire_tags;
