-- One row a document, of the newest version that was counted. Written by the subscription to quire.documents.events, read by GET /documents/{id}/stats.
CREATE TABLE stats.documents (
    document_id uuid   PRIMARY KEY,
    account_id  uuid   NOT NULL,
    version     bigint NOT NULL,
    characters  bigint NOT NULL,
    words       bigint NOT NULL,
    sentences   bigint NOT NULL
);

-- Least rights: the service works on its table and owns nothing; of the documents it may ask for one text at a time.
GRANT USAGE ON SCHEMA stats TO quire_stats;
GRANT SELECT, INSERT, UPDATE, DELETE ON stats.documents TO quire_stats;
GRANT USAGE ON SCHEMA documents TO quire_stats;
GRANT EXECUTE ON FUNCTION documents.text(uuid) TO quire_stats;
