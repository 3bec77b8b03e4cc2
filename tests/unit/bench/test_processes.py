"""What a process cost is read while its threads come and go."""

import os

import processes


def test_a_thread_that_ends_while_it_is_looked_at_does_not_hide_its_process(monkeypatch):
    listdir = os.listdir
    gone = "4194305"  # above the kernel's largest id (PID_MAX_LIMIT, proc(5))
    monkeypatch.setattr(processes.os, "listdir", lambda path: listdir(path) + ([gone] if path.endswith("/task") else []))
    cost = processes.costs({"me": [os.getpid()]})["me"]
    assert cost.rss_bytes > 0 and cost.switches > 0


def test_a_process_that_has_ended_costs_nothing():
    assert processes.costs({"gone": [4194305]})["gone"] == processes.Cost()
