-- Least rights: the documents service works on its tables and owns none of them; the query service reads what it searches.
GRANT USAGE ON SCHEMA documents TO quire_documents, quire_query;
GRANT SELECT, INSERT, UPDATE, DELETE ON documents.documents TO quire_documents;
GRANT SELECT, INSERT, DELETE ON documents.chunks, documents.postings, documents.outbox TO quire_documents;
GRANT SELECT, INSERT, UPDATE ON documents.corpora TO quire_documents;
GRANT SELECT, INSERT, UPDATE, DELETE ON documents.once TO quire_documents;
GRANT SELECT ON documents.documents, documents.chunks, documents.postings, documents.corpora TO quire_query;

-- Functions are everybody's by default. (An extension's own belong to the superuser and stay so.)
DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'documents'::regnamespace AND pg_get_userbyid(proowner) = current_user LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO quire_documents', f);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION documents.dictionary(text), documents.ascii_dictionary(text), documents.lexeme(regdictionary, text),
    documents.lexemes(text[], text[]), documents.search(uuid, text, text[], text[], uuid[], int, int, int) TO quire_query;
