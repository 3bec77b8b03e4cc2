#!/bin/sh
# CUnit's own closing figures of the last ctest run, summed over its programs. Fails when no test ran or one failed.
awk '
    /^ *(suites|tests|asserts) +[0-9]+/ {
        total[$1] += $2; ran[$1] += $3; passed[$1] += ($1 == "suites") ? $3 : $4; failed[$1] += ($1 == "suites") ? $4 : $5
    }
    END {
        printf "\nRun Summary:    Type  Total    Ran Passed Failed\n"
        for (i = split("suites tests asserts", kinds); i >= 1; i--) order[i] = kinds[i]
        for (i = 1; i <= 3; i++) printf "%20s %6d %6d %6d %6d\n", order[i], total[order[i]], ran[order[i]], passed[order[i]], failed[order[i]]
        exit ran["tests"] == 0 || failed["tests"] > 0
    }' "$1/Testing/Temporary/LastTest.log"
