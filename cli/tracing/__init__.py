"""One request told from the log lines of every process that it passed: lines -> story -> text."""
