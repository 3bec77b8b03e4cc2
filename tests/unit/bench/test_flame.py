"""From what perf prints to a picture: stacks from the thread inwards, time away from the cores from switch to return, rare frames left out."""

import xml.etree.ElementTree
from collections import Counter

import flame
import perf_script
import pytest
from perf_script import KERNEL, LIBRARY, PROGRAM, THREAD, Frame

ON = """quire-gateway     77  100.000001: cpu-clock:
\tffffffff81234567 tcp_sendmsg ([kernel.kallsyms])
\t    7f0000001000 send@@GLIBC_2.2.5 (/usr/lib/x86_64-linux-gnu/libc.so.6)
\t    55d000001000 connection_send.constprop.0 (/build/release/services/gateway/quire-gateway)
\t    55d000002000 main (/build/release/services/gateway/quire-gateway)

rdk:broker1     78  100.000002: cpu-clock:
\t    7f0000002000 [unknown] (/usr/lib/x86_64-linux-gnu/librdkafka.so.1)
\t    7f0000002100 [unknown] (/usr/lib/x86_64-linux-gnu/librdkafka.so.1)

rdk:broker2     79  100.000003: cpu-clock:
\t    7f0000002000 [unknown] (/usr/lib/x86_64-linux-gnu/librdkafka.so.1)

"""
OFF = """worker 5 10.000000: context-switches:
\tffffffff82000000 schedule ([kernel.kallsyms])
\t    55d000001000 consumer_take (/build/quire-session)

worker 5 10.000001: PERF_RECORD_SWITCH OUT
worker 6 10.000100: context-switches:
\tffffffff82000000 schedule ([kernel.kallsyms])

worker 6 10.000101: PERF_RECORD_SWITCH OUT preempt
worker 6 10.100100: PERF_RECORD_SWITCH IN
worker 5 10.250000: PERF_RECORD_SWITCH IN
worker 5 10.300000: context-switches:
\t    55d000001000 consumer_take (/build/quire-session)

"""


def test_stacks_begin_at_the_thread_and_end_in_the_innermost_frame():
    assert perf_script.on_cpu(ON.splitlines(keepends=True)) == {
        (Frame("quire-gateway", THREAD), Frame("main", PROGRAM), Frame("connection_send", PROGRAM), Frame("send", LIBRARY), Frame("tcp_sendmsg", KERNEL)): 1,
        (Frame("rdk:broker", THREAD), Frame("[librdkafka]", LIBRARY)): 2,  # threads that differ by a number, a library without symbols
    }


def test_time_away_is_from_the_switch_to_the_return():
    """And one that was put out while it had work waited for a core, wherever it stood; one that never came back counts nothing."""
    found = perf_script.off_cpu(OFF.splitlines(keepends=True))
    worker = Frame("worker", THREAD)
    assert found == {(worker, Frame("consumer_take", PROGRAM), Frame("schedule", KERNEL)): pytest.approx(0.25), (worker, perf_script.RUNNABLE): pytest.approx(0.1)}


def stack_of(*names: str) -> tuple[Frame, ...]:
    return tuple(Frame(name, PROGRAM) for name in names)


STACKS = Counter({stack_of("ring", "main", "handle"): 60, stack_of("ring", "main", "send"): 39, stack_of("ring", "main", "<rare> & odd"): 0.9,
                  stack_of("ring", "never"): 0.1})


def frames_of(picture: str) -> dict[str, float]:
    root = xml.etree.ElementTree.fromstring(picture)
    svg = "{http://www.w3.org/2000/svg}"
    return {group.find(f"{svg}title").text.partition(":")[0]: float(group.find(f"{svg}rect").get("width")) for group in root.iter(f"{svg}g")}


def test_a_frame_is_as_wide_as_its_share_and_the_rare_are_left_out():
    widths = frames_of(flame.draw("title", "subtitle", "s", STACKS))
    assert widths["handle"] / widths["all"] == pytest.approx(0.6, abs=0.001)
    assert widths["main"] / widths["all"] == pytest.approx(0.999, abs=0.001)
    assert "<rare> & odd" in widths and "never" not in widths


def test_a_picture_of_ten_thousand_stacks_stays_small():
    """It is kept in the repository."""
    stacks = Counter({stack_of("thread", *(f"function_{(number * 7919 + depth) % 211}_{depth}" for depth in range(30))): 1 + number % 17 for number in range(10_000)})
    assert len(flame.draw("title", "subtitle", "s", stacks)) < 150_000


def test_nothing_recorded_is_an_empty_picture_and_no_fault():
    assert frames_of(flame.draw("title", "subtitle", "s", Counter())) == {}


def test_costs_are_of_innermost_frames():
    assert flame.costs(STACKS, 2) == [("handle", pytest.approx(0.6)), ("send", pytest.approx(0.39))]


def test_costs_of_libraries_and_kernel_belong_to_the_function_that_called_them():
    stacks = Counter({(Frame("ring", THREAD), Frame("log_request", PROGRAM), Frame("write", LIBRARY), Frame("vfs_write", KERNEL)): 3,
                      (Frame("rdk:main", THREAD), Frame("[librdkafka]", LIBRARY)): 1})
    assert flame.costs(stacks, 5, flame.innermost_own) == [("log_request", 0.75), ("thread rdk:main", 0.25)]
