"""What a file becomes, and the server's limits."""

import hashlib
import json
import os

import pytest

from cli import document, walk
from cli.outcome import Failed, NotImported, Skipped


def source(path, name=None):
    return walk.Source(str(path), name or path.name, walk.kinds.by_suffix(path.name), 0)


def body(path, name=None):
    with document.Reading(source(path, name)) as reading:
        return json.loads(reading.body())


def test_every_field(tmp_path):
    (tmp_path / "a.md").write_text("# The lamp\n")
    assert body(tmp_path / "a.md", "manual/light/a.md") == {
        "title": "The lamp", "content": "# The lamp\n", "tags": ["manual", "light"],
        "metadata": {"source": "manual/light/a.md", "sha256": hashlib.sha256(b"# The lamp\n").hexdigest(), "kind": "markdown", "size": 11}}


def test_the_folder_that_a_file_came_from_is_kept(tmp_path):
    (tmp_path / "a.md").write_text("# The lamp\n")
    there = walk.Source(str(tmp_path / "a.md"), "a.md", walk.kinds.by_suffix("a.md"), 0, "/home/ada")
    with document.Reading(there) as reading:
        assert json.loads(reading.body())["metadata"]["origin"] == "/home/ada"


def test_the_same_file_is_the_same_bytes(tmp_path):
    (tmp_path / "a.md").write_text("# The lamp\n")
    first = document.Reading(source(tmp_path / "a.md")).body()
    os.utime(tmp_path / "a.md", (1, 1))
    assert document.Reading(source(tmp_path / "a.md")).body() == first


@pytest.mark.parametrize("found, name, title", [
    ("  The\n lamp\t", "a.md", "The lamp"), ("x" * 600, "a.md", "x" * 500), (None, "notes/my notes.md", "my notes"), (None, "n/two\nlines.md", "two lines"),
    ("\u200b\x07", "n/.md", "\u200b"), (" ", "n/ .md", "untitled"), (None, "n/README", "README")])
def test_titles(found, name, title):
    assert document.title_of(found, name) == title


def test_tags_are_folders_within_the_servers_limits():
    assert document.tags_of("a.md") == []
    assert document.tags_of("one/two\nlines/one/ /a.md") == ["one", "two lines"]
    assert document.tags_of("é" * 80 + "/a.md") == ["é" * 64]
    assert len(document.tags_of("/".join(map(str, range(40))) + "/a.md")) == 32


@pytest.mark.parametrize("name, content, kind, reason", [
    ("a.txt", b"", Skipped, "empty"), ("a.txt", b" \n\t", Skipped, "empty"), ("a.txt", b"\x7fELF\0", Failed, "binary"),
    ("a", b"\x7fELF\0", Skipped, "binary without a suffix"), ("a.zip", b"PK\3\4\0", Skipped, "kind .zip"),
    ("a.txt", b"x" * (15 * document.MIB + 1), Failed, "too large"),
    ("a.txt", b'"\n' * (7 * document.MIB), Failed, "too large")], ids=lambda value: None if not isinstance(value, bytes) else value[:8].hex() or "nothing")
def test_what_can_not_be_a_document(tmp_path, name, content, kind, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotImported) as why:
        body(tmp_path / name)
    assert (type(why.value), why.value.reason) == (kind, reason)


def test_a_text_of_just_15_mib_is_a_document(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * (15 * document.MIB))
    assert len(body(tmp_path / "a.txt")["content"]) == 15 * document.MIB


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    with document.Reading(source(tmp_path / "a.txt")) as reading:
        (tmp_path / "a.txt").write_text("one two")
        with pytest.raises(Failed, match="changes"):
            reading.body()


def test_a_path_too_long_for_metadata_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    with pytest.raises(Failed, match="too long"):
        body(tmp_path / "a.txt", "é" * 9000 + ".txt")


def test_a_pipe_or_nothing_in_the_files_place_makes_nobody_wait(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(Skipped, match="no regular file"):
        body(tmp_path / "a.txt")
    with pytest.raises(Failed, match="unreadable"):
        body(tmp_path / "b.txt")
