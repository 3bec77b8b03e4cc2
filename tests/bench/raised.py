"""The rate limits as the bench has them: each request is counted as it is in a stack that is deployed, and none is refused."""

_RATES = ("ACCOUNT_RATE", "ACCOUNT_BURST", "ADDRESS_RATE", "ADDRESS_BURST", "LOG_IN_RATE", "LOG_IN_BURST", "LOG_IN_FAILURES_ADDRESS", "REGISTRATIONS_HOUR",
          "REGISTRATIONS_BURST")
RAISED_LIMITS = {**{f"QUIRE_LIMIT_{name}": "1000000" for name in _RATES}, "QUIRE_LIMIT_ACCOUNT_CONCURRENT": "100000", "QUIRE_LIMIT_LOG_IN_FAILURES": "100000"}
