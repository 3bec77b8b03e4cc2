"""Why a test failed that passed when it was run once more: pytest's own summary has its name alone, and nobody would learn what is wrong with it."""

_CHARACTERS = 3000


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("-", f"{report.nodeid} failed first")
        terminalreporter.write_line(report.longreprtext[-_CHARACTERS:])
