"""The real servers that the tests run against, one small class each."""
