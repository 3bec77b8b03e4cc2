"""./quire import and ask, as they run in their container, against the real stack: each file is one document, however often import is killed."""

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from made_pdf import pdf
from servers.binary import SOURCE
from servers.waiting import wait_until

pytestmark = pytest.mark.around


class Person:
    """Somebody with a session and a folder, who types commands in it."""

    def __init__(self, account, folder):
        self.account, self.folder = account, folder
        self.environment = {**os.environ, "PYTHONPATH": SOURCE, "PYTHONDONTWRITEBYTECODE": "1", "QUIRE_URL": account.url, "QUIRE_TOKEN": account.token}

    def write(self, name, content):
        path = os.path.join(os.fsencode(self.folder), name if isinstance(name, bytes) else name.encode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def begin(self, module, *arguments, **environment):
        return subprocess.Popen([sys.executable, "-m", f"cli.{module}", *arguments], cwd=self.folder, env={**self.environment, **environment}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, module, *arguments, status=0, **environment):
        process = self.begin(module, *arguments, **environment)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == status, said
        return said

    def imports(self, *arguments, status=0, **environment):
        return self.run("importer", *arguments, status=status, **environment)

    def held(self):
        """All documents by source; fails when a source has two."""
        items = self.account.listed(limit=100)
        sources = collections.Counter(item["metadata"]["source"] for item in items)
        assert [source for source, count in sources.items() if count > 1] == []
        return {item["metadata"]["source"]: item for item in items}

    def count(self):
        return len(self.account.listed(limit=100))


@pytest.fixture
def person(account, tmp_path):
    return Person(account, tmp_path)


def test_four_kinds_come_with_titles_tags_and_sources(person):
    person.write("manual/light/lamp.md", "# The *lamp*\n\nThe keeper trims the wick.\n")
    person.write("manual/oil.html", "<title>Of oil</title><nav>Home</nav><p>Whale oil &amp; colza burn without smoke.")
    person.write("manual/storm.pdf", pdf("In a storm the foghorn sounds", title="Storm orders"))
    person.write("manual/log book.txt", "Fog all day.".encode("utf-16"))
    assert "4 added" in person.imports("manual")
    held = person.held()
    assert {source: (item["title"], item["tags"], item["metadata"]["kind"]) for source, item in held.items()} == {
        "manual/light/lamp.md": ("The *lamp*", ["manual", "light"], "markdown"), "manual/oil.html": ("Of oil", ["manual"], "html"),
        "manual/storm.pdf": ("Storm orders", ["manual"], "pdf"), "manual/log book.txt": ("log book", ["manual"], "text")}
    said = person.run("ask", "which", "oil", "burns without smoke?", "--top", "1")
    assert "1. Of oil" in said and "manual/oil.html#0" in said and "**oil**" in said and "request " in said and "\033" not in said
    answer = json.loads(person.run("ask", "foghorn in a storm", "--json"))
    assert answer["results"][0]["source"] == "manual/storm.pdf" and answer["request_id"]


def test_again_is_unchanged_a_change_is_an_update_and_only_prune_removes(person):
    for name in ("n/a.md", "n/b.md", "n/c.md", "other/d.md"):
        person.write(name, f"about {name}")
    person.imports("n", "other")
    first = person.held()
    assert "0 added, 0 updated, 4 unchanged" in person.imports("n", "other")
    person.write("n/a.md", "something else")
    os.remove(person.folder / "n/b.md")
    os.remove(person.folder / "other/d.md")
    assert "0 added, 1 updated, 1 unchanged, 0 skipped, 0 failed, 0 removed" in person.imports("n")
    assert "1 would be removed" in person.imports("n", "--prune", "--dry-run") and len(person.held()) == 4
    said = person.imports("n", "--prune", status=2)
    assert "  remove   n/b.md\n" in said and "0 removed" in said and "--prune needs --yes" in said and len(person.held()) == 4
    said = person.imports("n", "--prune", "--yes")
    assert "  removed  n/b.md\n" in said and "1 removed" in said
    held = person.held()
    assert sorted(held) == ["n/a.md", "n/c.md", "other/d.md"]
    assert held["n/a.md"]["id"] == first["n/a.md"]["id"] and held["n/a.md"]["version"] == 2 and held["n/c.md"]["version"] == 1
    assert person.account.read(held["n/a.md"]["id"])["content"] == "something else"
    assert "not pruned" in person.imports("other", "--prune", status=1) and len(person.held()) == 3
    assert "1 removed" in person.imports("other", "--prune", "--yes") and sorted(person.held()) == ["n/a.md", "n/c.md"]


def test_a_folder_of_the_same_name_elsewhere_is_another(person):
    """Else whoever imports /other/docs loses what came from /home/docs."""
    for name in ("home/docs/a.md", "home/docs/b.md", "other/docs/a.md", "other/docs/c.md"):
        person.write(name, f"about {name}")
    person.write("other/docs/same.md", "the same")
    person.write("home/docs/same.md", "the same")
    there, person.folder = str(person.folder / "other/docs"), person.folder / "home"
    person.imports("docs")
    first = person.held()
    said = person.imports(there, "--prune", "--yes", status=1)
    assert f"  failed   {there}/a.md: another folder's (the document is of {person.folder}; --take-over" in said
    assert "1 added, 0 updated, 1 unchanged, 0 skipped, 1 failed, 0 removed" in said
    held = person.held()
    assert all(held[name]["version"] == first[name]["version"] for name in first)
    said = person.imports(there, "--prune", "--yes", "--take-over")
    assert "  removed  docs/b.md\n" in said and "2 updated, 1 unchanged" in said
    assert person.held()["docs/a.md"]["metadata"]["origin"] == os.path.dirname(there)


def test_an_older_document_without_an_origin_is_adopted_before_it_is_pruned(person):
    for name in ("n/a.md", "n/b.md"):
        person.write(name, f"about {name}")
    person.imports("n")
    for item in list(person.held().values()):
        whole = person.account.read(item["id"])
        old = {field: value for field, value in item["metadata"].items() if field != "origin"}
        person.account.delete(f"/documents/{item['id']}")
        person.account.create(title=item["title"], content=whole["content"], tags=item["tags"], metadata=old)
    os.rename(person.folder / "n/b.md", person.folder / "b.md")
    said = person.imports("n", "--prune", "--yes", status=1)
    assert "1 updated" in said and "not pruned (1 document of an older import" in said and len(person.held()) == 2
    os.rename(person.folder / "b.md", person.folder / "n/b.md")
    assert "1 updated, 1 unchanged" in person.imports("n")
    os.remove(person.folder / "n/b.md")
    assert "1 removed" in person.imports("n", "--prune", "--yes") and list(person.held()) == ["n/a.md"]


def test_a_path_that_is_not_there_has_failed_and_the_rest_is_imported(person):
    person.write("n/a.md", "about lamps")
    said = person.imports("missing.md", "n", "n/*.pdf", status=1)
    assert "failed   missing.md: there is no such file or folder" in said and "failed   n/*.pdf: nothing is called so" in said and "1 added" in said
    assert "a path is empty" in person.imports("", status=2) and "a path is empty" in person.imports("n", "", status=2)


def test_a_dry_run_names_what_it_would_do(person):
    for name in ("n/a.md", "n/b.md"):
        person.write(name, f"about {name}")
    person.imports("n")
    person.write("n/a.md", "changed")
    person.write("n/new.md", "new")
    os.remove(person.folder / "n/b.md")
    said = person.imports("n", "--dry-run", "--verbose", "--prune")
    for line in ("  add      n/new.md", "  update   n/a.md", "  remove   n/b.md", "1 would be added, 1 would be updated, 0 unchanged", "1 would be removed"):
        assert line in said, said
    assert sorted(person.held()) == ["n/a.md", "n/b.md"]


def test_killed_twice_in_the_middle_nothing_is_twice_and_nothing_missing(person):
    files = {f"library/{number % 7}/{number}.md": f"# Note {number}\n\nThe keeper writes {number}." for number in range(400)}
    for name, content in files.items():
        person.write(name, content)
    for least in (30, 150):
        running = person.begin("importer", "library", "--parallel", "4")
        wait_until(lambda: person.count() >= least, 30, f"{least} documents are there", every=0.01)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert person.count() < len(files), "killed too late to show anything"
    said = person.imports("library")
    assert " 0 failed" in said and "400 added" not in said
    assert set(person.held()) == set(files)
    assert "400 unchanged" in person.imports("library")


def test_stopped_by_ctrl_c_it_says_so_and_goes_on(person):
    for number in range(300):
        person.write(f"library/{number}.md", f"Note {number}")
    running = person.begin("importer", "library", "--parallel", "2")
    wait_until(lambda: person.count() >= 10, 30, "some documents are there", every=0.01)
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=30)
    assert running.returncode == 130 and "Stopped." in said and "Traceback" not in said
    person.imports("library")
    assert len(person.held()) == 300


def test_two_at_once_double_nothing(person, stack):
    for number in range(150):
        person.write(f"library/{number}.md", f"Note {number}")
    both = [person.begin("importer", "library", QUIRE_URL=gateway.url) for gateway in stack.gateways]
    for running in both:
        said, _ = running.communicate(timeout=60)
        assert running.returncode == 0, said
    assert len(person.held()) == 150


def test_a_second_document_of_a_file_is_merged_into_the_oldest(person):
    """What an import leaves that ran on another machine, with another version of the file, at the same time."""
    person.write("n/a.md", "the file as it is")
    person.imports("n")
    mine = person.held()["n/a.md"]
    person.account.create(title="a", content="another version", tags=["n"], metadata={**mine["metadata"], "sha256": "0" * 64})
    person.imports("n")
    assert person.held()["n/a.md"]["id"] == mine["id"]


def test_deleted_and_imported_again_within_a_day_it_is_there_again(person):
    """The keys of the first import are kept for a day, and would answer with documents that are no more."""
    person.write("n/a.md", "about lamps")
    for _ in range(3):
        person.imports("n")
        held = person.held()
        assert list(held) == ["n/a.md"]
        person.account.delete(f"/documents/{held['n/a.md']['id']}")


def test_changed_back_and_forth_within_a_day_it_is_what_the_file_is(person):
    for content in ("one", "two", "one", "two"):
        person.write("n/a.md", content)
        person.imports("n")
        assert person.account.read(person.held()["n/a.md"]["id"])["content"] == content


def test_odd_and_broken_files_are_told_and_the_rest_is_imported(person):
    good = pdf("A good page")
    person.write("n/cut.pdf", good[:300])
    person.write("n/locked.pdf", pdf("secret", encrypted=True))
    person.write("n/program.txt", b"\x7fELF\x02\x01\x01\0" + random.Random(1).randbytes(4096))
    person.write("n/koi8.txt", "Смотритель маяка".encode("koi8-r"))
    person.write("n/empty.md", "")
    person.write("n/logo.png", b"\x89PNG")
    person.write("n/two\nlines \x1b[31m.md", "odd name")
    person.write(b"n/latin\xe9.txt", "Der Wärter des Leuchtturms".encode("latin-1"))
    person.write("n/good.pdf", good)
    with open(person.folder / "n/huge.txt", "wb") as file:
        file.truncate(200 * 1024 * 1024)
    os.mkfifo(person.folder / "n/pipe.md")
    os.symlink("..", person.folder / "n/loop")
    os.symlink("nowhere.md", person.folder / "n/lost.md")
    said = person.imports("n", status=1)
    for line in ("failed   n/cut.pdf: broken PDF", "failed   n/locked.pdf: encrypted PDF", "failed   n/program.txt: binary", "failed   n/koi8.txt: unknown enc",
                 "failed   n/huge.txt: too large (200.0 MiB", "failed   n/lost.md: broken link", "skipped  1 empty: n/empty.md", "skipped  1 kind .png: n/logo.png",
                 "skipped  1 no regular file: n/pipe.md", "skipped  1 link to a folder: n/loop", "3 added", "4 skipped, 6 failed"):
        assert line in said, said
    assert set(person.held()) == {"n/two\nlines \x1b[31m.md", "n/latin\\xe9.txt", "n/good.pdf"}
    assert "\033" not in person.run("ask", "odd name")


def test_an_unreadable_file_is_told_where_modes_count(person):
    person.write("n/mine.md", "readable")
    person.write("n/locked.md", "not readable")
    os.chmod(person.folder / "n/locked.md", 0)
    os.chmod(person.folder / "n", 0o755)
    wrapped = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", sys.executable, "-m", "cli.importer", "n"]
    done = subprocess.run(wrapped, cwd=person.folder, env=person.environment, text=True, capture_output=True, timeout=60)
    assert done.returncode == 1 and "failed   n/locked.md: unreadable (Permission denied)" in done.stdout, done.stdout + done.stderr
    assert list(person.held()) == ["n/mine.md"]


def test_without_server_or_session_it_ends_in_a_sentence(person):
    person.write("n/a.md", "text")
    for module, words in (("importer", ["n"]), ("ask", ["lamps"])):
        said = person.run(module, *words, status=1, QUIRE_TOKEN="nobody")
        assert "401" in said and "quire login" in said and "request " in said and "Traceback" not in said
        said = person.run(module, *words, status=1, QUIRE_TOKEN="", QUIRE_SESSION_FILE=str(person.folder / "none"))
        assert "There is no session" in said and "Traceback" not in said
        said = person.run(module, *words, status=1, QUIRE_URL="localhost:1")
        assert "No answer" in said and "Traceback" not in said


def test_a_session_is_kept_for_its_address_and_used_there(person):
    person.write("n/a.md", "text")
    kept = {"QUIRE_TOKEN": "", "QUIRE_SESSION_FILE": str(person.folder / "session")}
    log_in = subprocess.run([sys.executable, "-m", "cli.login", person.account.email], input=person.account.password + "\n", cwd=person.folder, text=True,
                            env={**person.environment, **kept}, capture_output=True, timeout=60)
    assert log_in.returncode == 0, log_in.stderr
    assert os.stat(person.folder / "session").st_mode & 0o777 == 0o600
    assert "1 added" in person.imports("n", **kept, QUIRE_URL="")
    assert "no session for http://127.0.0.1:1:" in person.imports("n", status=1, **kept, QUIRE_URL="http://127.0.0.1:1")


@pytest.mark.destructive
def test_an_outage_in_the_middle_is_waited_out(person, stack):
    for number in range(300):
        person.write(f"n/{number}.md", f"note {number}")
    running = person.begin("importer", "n", "--parallel", "4")
    wait_until(lambda: person.count() >= 20, 30, "some documents are there", every=0.01)
    stack.documents.kill()
    time.sleep(6)  # longer than a request's deadline, so that each that is under way gets a 504 and comes again
    stack.documents.start()
    said, _ = running.communicate(timeout=90)
    assert running.returncode == 0 and "300 added" in said, said
    assert len(person.held()) == 300
