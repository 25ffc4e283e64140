#!/usr/bin/env bash
# Looks for known vulnerabilities in what the programs call. Its data comes
# from the network; where that cannot be reached, it says so and passes.
set -uo pipefail

out=$(timeout 300 go tool govulncheck ./... 2>&1)
status=$?
case "$status:$out" in
  0:*) echo "govulncheck: no known vulnerabilities" ;;
  *"fetching vulnerabilities"* | *"dial tcp"* | *"no such host"* | *"connection refused"* | *"Forbidden"* | 124:*)
    echo "govulncheck: skipped, its data cannot be reached from here" ;;
  *) printf '%s\n' "$out"; exit 1 ;;
esac
