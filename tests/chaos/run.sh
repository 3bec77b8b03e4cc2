# The chaos layer: faults under load, and the account behind them. Sourced by scripts/test.sh, in a container as e2e has it.
in_toolchain -- python3 -B -m pytest -q -p no:cacheprovider -c tests/pytest.ini tests/chaos/test_oracle.py
in_toolchain -e QUIRE_BUILD="/build/$QUIRE_PRESET" -- python3 -B tests/chaos/chaos.py "$@"
