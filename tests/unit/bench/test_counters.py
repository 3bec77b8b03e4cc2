"""What perf says of events that it can't count is never taken for a number."""

from counters import parse


def test_what_cannot_be_counted_is_left_out():
    assert parse("<not supported>,,instructions:u,0,100.00,,\n12345,,raw_syscalls:sys_enter,99,100.00,,\n") == [12345.0]


def test_a_message_is_no_count():
    assert parse("event syntax error: 'raw_syscalls:sys_enter'\n") == []
