"""Which files are found, what they are called, and which are left out with which words."""

import os

import pytest

from cli import walk


@pytest.fixture
def tree(tmp_path):
    """Writes files, and is the folder that they are in."""
    class Tree:
        folder = tmp_path

        def write(self, *names, content=b"text"):
            for name in names:
                path = os.path.join(os.fsencode(tmp_path), name if isinstance(name, bytes) else name.encode())
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(content)

        def find(self, *paths, folder="", root=""):
            return walk.find(list(paths), os.path.join(tmp_path, folder).rstrip("/"), root)

    return Tree()


def names(found):
    return [source.name for source in found.sources]


def reasons(found):
    return {place.name: why.reason for place, why in found.left_out}


def test_a_file_has_the_same_name_however_it_is_reached(tree):
    tree.write("notes/a.md", "notes/deep/b.md")
    whole = ["notes/a.md", "notes/deep/b.md"]
    assert names(tree.find("notes")) == whole
    assert names(tree.find("./notes/", "notes/deep", "notes/deep/b.md")) == whole
    assert names(tree.find("notes/*.md", "notes/deep/../deep/b.md")) == whole
    assert names(tree.find("notes/**/*.md")) == whole
    assert names(tree.find(str(tree.folder / "notes"), folder="elsewhere")) == whole
    assert names(tree.find(".", folder="notes")) == whole
    assert names(tree.find("../notes", folder="notes")) == whole


def test_files_are_read_where_the_machine_is_mounted(tree):
    tree.write("mounted/home/ada/notes/a.md")
    found = walk.find(["notes/*.md"], "/home/ada", str(tree.folder / "mounted"))
    assert [(source.name, source.path) for source in found.sources] == [("notes/a.md", str(tree.folder / "mounted/home/ada/notes/a.md"))]


def test_a_folder_is_pruned_by_its_name_and_a_file_never(tree):
    tree.write("notes/a.md", "b.md")
    notes = [walk.Place("notes/", str(tree.folder))]
    assert tree.find("notes", "b.md", "notes/").folders == notes
    assert tree.find(".", folder="notes").folders == notes


def test_a_name_and_its_origin_are_the_whole_path(tree):
    """Else a folder of the same name elsewhere is taken for this one, and what is there is updated or removed."""
    tree.write("notes/deep/a.md", "other/notes/deep/a.md")
    for paths, folder in ((["notes"], ""), (["."], "notes"), (["../notes"], "other"), (["notes/deep/a.md"], ""), (["notes/*/*.md"], "")):
        source, = tree.find(*paths, folder=folder).sources
        assert (source.name, source.origin) == ("notes/deep/a.md", str(tree.folder))
    source, = tree.find("notes", folder="other").sources
    assert (source.name, source.origin) == ("notes/deep/a.md", str(tree.folder / "other"))


def test_a_file_elsewhere_is_told_by_its_whole_path():
    assert walk.shown("notes/a.md", "/home/ada", "/home/ada") == "notes/a.md"
    assert walk.shown("notes/a.md", "/srv", "/home/ada") == "/srv/notes/a.md"
    assert walk.shown("a.md", "/", "/") == "a.md"


def test_what_is_no_document_is_left_out_in_words(tree):
    tree.write("n/a.md", "n/logo.PNG", "n/.hidden", "n/.git/config", "n/Makefile")
    os.mkfifo(tree.folder / "n/pipe.txt")
    os.symlink("nowhere", tree.folder / "n/lost.md")
    os.symlink("round.md", tree.folder / "n/round.md")
    os.symlink("..", tree.folder / "n/loop")
    found = tree.find("n")
    assert names(found) == ["n/Makefile", "n/a.md"]
    assert reasons(found) == {"n/logo.PNG": "kind .png", "n/.hidden": "hidden", "n/.git": "hidden", "n/pipe.txt": "no regular file",
                              "n/lost.md": "broken link", "n/round.md": "broken link", "n/loop": "link to a folder"}
    assert {place.name for place, why in found.left_out if why.failed} == {"n/lost.md", "n/round.md"}


def test_a_link_to_a_file_is_that_file_and_a_named_link_to_a_folder_that_folder(tree):
    tree.write("real/a.md")
    os.symlink("real", tree.folder / "link")
    os.symlink("real/a.md", tree.folder / "b.md")
    assert names(tree.find("link", "b.md")) == ["b.md", "link/a.md"]


def test_a_named_file_comes_whatever_its_suffix_is(tree):
    tree.write("n/a.c", "n/.profile")
    assert names(tree.find("n/a.c", "n/.profile")) == ["n/.profile", "n/a.c"]
    assert names(tree.find("n/*")) == []


def test_any_name_is_a_name(tree):
    tree.write("n/two\nlines.md", "n/with space.md", b"n/\xff\xfe.md", "n/-rf.md", "n/*.md", "n/e\u0301.md")
    assert names(tree.find("n")) == ["n/*.md", "n/-rf.md", "n/\\xff\\xfe.md", "n/two\nlines.md", "n/with space.md", "n/\u00e9.md"]


def test_two_files_of_one_name_are_told_and_not_mixed(tree):
    tree.write("a/n/x.md", "b/n/x.md")
    found = tree.find("../a/n", "../b/n", folder="c")
    assert names(found) == ["n/x.md"] and reasons(found) == {"n/x.md": "another file of the same name"}
    (place, why), = found.left_out
    assert place.origin == str(tree.folder / "b") and why.detail.startswith(f"{tree.folder}/a/n/x.md; ")


def test_what_is_not_there_has_failed_and_the_rest_is_found(tree):
    tree.write("n/a.md")
    found = tree.find("missing", "n", "*.pdf", "a\nb")
    assert names(found) == ["n/a.md"] and all(why.failed for _, why in found.left_out)
    assert reasons(found) == {"missing": "there is no such file or folder", "*.pdf": "nothing is called so", "a\nb": "there is no such file or folder"}


def test_an_unreadable_folder_is_told_and_protected_from_pruning(tree, monkeypatch):
    tree.write("n/a.md", "n/locked/b.md")
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    found = tree.find("n")
    assert names(found) == ["n/a.md"] and reasons(found) == {"n/locked/": "unreadable folder"} and found.blind == [walk.Place("n/locked/", str(tree.folder))]
