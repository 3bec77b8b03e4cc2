"""A primary that can't write: no fault of ours or of the caller's. 503, and what only reads goes on."""

import contextlib

import pytest

from client import problem


@contextlib.contextmanager
def writes_fail(stack, sqlstate):
    """Every new document meets what PostgreSQL says when its disk is full or breaks."""
    stack.primary.query(f"CREATE FUNCTION public.fail_write() RETURNS trigger LANGUAGE plpgsql AS "
                        f"$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{sqlstate}'; END $$")
    stack.primary.query("CREATE TRIGGER fail_write BEFORE INSERT ON documents.documents EXECUTE FUNCTION public.fail_write()")
    try:
        yield
    finally:
        stack.primary.query("DROP FUNCTION public.fail_write() CASCADE")


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "58030"])
def test_a_write_that_the_disk_refuses_is_a_503_and_can_be_repeated(stack, account, sqlstate):
    document = account.create("kept")
    with writes_fail(stack, sqlstate):
        refused = account.post("/documents", {"title": "refused", "content": "x"}, key="k")
        problem(refused, 503)
        assert account.read(document["id"]) == document and account.found("content") == [document["id"]]
        assert stack.documents.log_contains(f'"sqlstate":"{sqlstate}"', stack.marks[stack.documents])
    assert account.post("/documents", {"title": "refused", "content": "x"}, key="k").status_code == 201
    assert len(account.listed()) == 2
