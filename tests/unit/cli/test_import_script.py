"""What scripts/import.sh mounts, and what it tells of the links below the named paths."""

import os
import pathlib
import subprocess

import pytest

from cli import walk

ROOT = pathlib.Path(__file__).parents[3]
# In place of the container: what would be handed to it, each ended by a NUL.
STUBS = r"""
have() { false; }
refuse() { echo "$*" >&2; exit 2; }
fail() { echo "$*" >&2; exit 1; }
cli_run() { printf '%s\0' "${mounts[@]}"; printf '\0'; cat "$list"; }
"""


class Handed:
    """`mounts` by the place in the container; `links` by the link where the container sees its file."""

    def __init__(self, said):
        words = os.fsdecode(said).split("\0")[:-1]
        end = words.index("")
        fields = [word.strip('"').replace('""', '"').partition("=") for mount in words[1:end:2] for word in mount.split(",", 2)[2].split('","')]
        values = [value for _, _, value in fields]
        self.mounts = dict(zip(values[1::2], values[::2], strict=True))
        told = words[end + 1:]
        links = told[told.index("") + 1:]
        self.links = dict(zip(links[::2], links[1::2], strict=True))

    def outside(self, seen):
        """The path on the machine of what the container sees at `seen`."""
        at = max((place for place in self.mounts if f"{seen}/".startswith(f"{place.rstrip('/')}/")), key=len)
        return self.mounts[at].rstrip("/") + seen.removeprefix(at.rstrip("/")) if seen != at else self.mounts[at]


@pytest.fixture
def handed(tmp_path):
    def run(*paths, folder="home"):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", f"{STUBS}. {ROOT}/scripts/import.sh", "import", *paths], cwd=tmp_path / folder,
                              env={**os.environ, "QUIRE_HOME": str(tmp_path / "quire")}, capture_output=True, timeout=60, check=True)
        return Handed(done.stdout)

    (tmp_path / "home/docs").mkdir(parents=True)
    return run


def test_a_link_out_of_what_was_named_is_the_file_that_it_leads_to(handed, tmp_path):
    """In the container it leads nowhere: only what was named is there."""
    odd = 'a,"b"\n\\ .md'
    for name in ("README.md", odd, "unnamed.md"):
        (tmp_path / name).write_text(name)
    (tmp_path / "home/docs/own.md").write_text("own.md")
    (tmp_path / "next.md").symlink_to(tmp_path / "README.md")
    leads = {"relative.md": "../../README.md", "twice.md": "../../next.md", "absolute.md": str(tmp_path / "README.md"), "odd.md": f"../../{odd}",
             "inside.md": str(tmp_path / "home/docs/own.md"), "folder": "../..", "device": "/dev/null", "lost.md": "../../lost.md", "round.md": "round.md"}
    for link, target in leads.items():
        (tmp_path / "home/docs" / link).symlink_to(target)
    told = handed("docs")
    docs = tmp_path / "home/docs"
    files = {"relative.md": "README.md", "twice.md": "README.md", "absolute.md": "README.md", "odd.md": odd, "inside.md": "home/docs/own.md"}
    assert {link: told.outside(told.links[str(docs / link)]) for link in files} == {link: str(tmp_path / name) for link, name in files.items()}
    assert str(tmp_path / "README.md") in told.mounts.values() and told.links.keys() == {str(docs / link) for link in leads} - {str(docs / "lost.md"), str(docs / "round.md")}

    seen = {link: target if target in ("/", "/dev/null") else told.outside(target) for link, target in told.links.items()}
    found = walk.find(["docs"], str(tmp_path / "home"), "", seen)
    assert [source.name for source in found.sources] == sorted(["docs/own.md", *(f"docs/{link}" for link in files)])
    assert {place.name: why.reason for place, why in found.left_out} == {"docs/folder": "link to a folder", "docs/device": "no regular file",
                                                                         "docs/lost.md": "broken link", "docs/round.md": "broken link"}


def test_links_are_followed_below_a_named_link_and_not_below_hidden_folders(handed, tmp_path):
    (tmp_path / "real/.git").mkdir(parents=True)
    for name in ("README.md", "real/own.md"):
        (tmp_path / name).write_text(name)
    for link, target in (("real/up.md", "../README.md"), ("real/same.md", "own.md"), ("real/.git/no.md", "../../README.md"), ("home/link", "../real")):
        (tmp_path / link).symlink_to(target)
    told = handed("link")
    link = tmp_path / "home/link"
    assert {path: told.outside(seen) for path, seen in told.links.items()} == {str(link / "up.md"): str(tmp_path / "README.md"),
                                                                               str(link / "same.md"): str(tmp_path / "real/own.md")}
    assert set(told.mounts.values()) == {str(tmp_path / "real"), str(tmp_path / "README.md")}


def test_many_links_share_the_mount_of_the_folder_above_their_files(handed, tmp_path):
    (tmp_path / "shelf").mkdir()
    for number in range(40):
        (tmp_path / f"shelf/{number}.md").write_text("text")
        (tmp_path / f"home/docs/{number}.md").symlink_to(f"../../shelf/{number}.md")
    told = handed("docs")
    assert set(told.mounts.values()) == {str(tmp_path / "home/docs"), str(tmp_path / "shelf")}
    assert {told.outside(seen) for seen in told.links.values()} == {str(tmp_path / f"shelf/{number}.md") for number in range(40)}


def test_without_links_nothing_more_is_mounted(handed, tmp_path):
    (tmp_path / "home/docs/a.md").write_text("text")
    assert set(handed("docs", "docs/*.md", "missing").mounts.values()) == {str(tmp_path / "home/docs")}
