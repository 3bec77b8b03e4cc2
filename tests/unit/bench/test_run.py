"""What a run measures is what was asked for: a short run stays short, and a part alone is not kept as a whole."""

import pytest
import run


def test_a_quick_run_leaves_out_what_takes_minutes():
    quick, full = run.parse(["--quick"]), run.parse([])
    assert (quick.stored, quick.natural, quick.kafka_python, quick.people) == ([], False, False, False)
    assert (max(full.stored), full.natural, full.kafka_python, full.people, max(full.connections)) == (1_000_000, True, True, True, 10_000)


@pytest.mark.parametrize(("text", "sizes"), [("", []), ("2000,1000", [1000, 2000]), ("5", [5])])
def test_stored_sizes_are_as_named_in_either_run(text, sizes):
    assert run.parse(["--stored", text]).stored == run.parse(["--quick", "--stored", text]).stored == sizes


@pytest.mark.parametrize("words", [["--only-stored", "--keep"], ["--stored", "0"], ["--connections", "10001"], ["--rounds", "0"]])
def test_what_makes_no_sense_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        run.parse(words)
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "text", "found"), [("GET /auth/me", "", True), ("GET /auth/me", "query|auth", True), ("GET /auth/me", "query", False)])
def test_routes_are_chosen_by_part_of_their_names(name, text, found):
    assert run.named(name, text) is found
