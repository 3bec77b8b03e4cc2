"""Which documents are taken for those of files that are gone."""

import os

import pytest

from cli import prune, walk
from cli.library import Held, Library
from cli.summary import Summary


@pytest.fixture
def gone(tmp_path):
    """The names of the documents that a prune of the paths would remove, when each of `held` is one's that was imported in the same folder."""
    def of(paths, held):
        library = Library(connection=None)
        library.by_source = {name: [Held(f"id of {name}", "digest", str(tmp_path))] for name in held}
        found = walk.find(list(paths), str(tmp_path))
        return [name for name, _ in prune.gone(found, library, Summary(), yes=True)]

    return of


@pytest.fixture
def notes(tmp_path):
    """n/a.md, and beside it a link to a folder, hidden folders and a link that leads nowhere at the moment."""
    for folder in ("n/.notes/deep", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("n/a.md", "n/.notes/deep/b.md", "elsewhere/c.md"):
        (tmp_path / name).write_text("text")
    os.symlink("../elsewhere", tmp_path / "n/link")
    os.symlink("../unmounted", tmp_path / "n/away")


def test_what_is_below_a_folder_that_only_its_name_opens_stays(gone, notes):
    """Else the prune of a folder removes what was imported by the name of a link or hidden folder in it, though every file is there."""
    assert gone(["n"], ["n/a.md", "n/link/c.md", "n/.notes/deep/b.md", "n/away/d.md", "n/gone.md"]) == ["n/gone.md"]


def test_such_a_folder_is_pruned_by_its_name(gone, notes):
    held = ["n/a.md", "n/link/c.md", "n/link/gone.md", "n/.notes/deep/b.md", "n/.notes/deep/gone.md"]
    assert gone(["n/link"], held) == ["n/link/gone.md"]
    assert gone(["n", "n/link", "n/.notes/deep"], held) == ["n/.notes/deep/gone.md", "n/link/gone.md"]


def test_a_link_that_is_gone_takes_its_documents_along(gone, notes, tmp_path):
    os.unlink(tmp_path / "n/link")
    assert gone(["n"], ["n/a.md", "n/link/c.md"]) == ["n/link/c.md"]
