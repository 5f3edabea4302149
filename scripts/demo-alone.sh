#!/usr/bin/env bash
# The README's first command in an export of the repository without node_modules, as a new user runs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git archive HEAD | tar -x -C "$folder"
cd "$folder"

node dist/cli.cjs demo
for file in junit.xml summary.md results.json; do
  grep -qi simulated "arc-vllm-report/$file" || { echo "arc-vllm-report/$file does not say simulated"; exit 1; }
done

if node dist/cli.cjs demo --regress; then
  echo "demo --regress exited 0, 1 was expected"
  exit 1
elif [ $? -ne 1 ]; then
  echo "demo --regress did not exit 1"
  exit 1
fi
test "$(grep -c '<failure' arc-vllm-report/junit.xml)" = 1
