#!/usr/bin/env bash
# Installs the clients to compare with into .cache/bench-peers/: `bash bench/client/peers/install.sh [aiperf|guidellm|inference-perf]…`
# vLLM comes from scripts/real-vllm/install.sh. Together they take about 8 GB. What cannot be installed is skipped by run.ts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(inference-perf aiperf guidellm)

declare -A pinned=([inference-perf]=inference-perf==0.7.0 [aiperf]=aiperf==0.13.0 [guidellm]=guidellm==0.8.1)
# inference-perf refuses anything older.
declare -A python=([inference-perf]=${PYTHON312:-python3.12} [aiperf]=python3 [guidellm]=python3)

for peer in "${peers[@]}"; do
  venv=.cache/bench-peers/$peer
  [ -x "$venv/bin/$peer" ] && continue
  echo "::: ${pinned[$peer]}"
  "${python[$peer]}" -m venv "$venv" && "$venv/bin/pip" install --quiet --no-cache-dir "${pinned[$peer]}" || echo "skipped: $peer"
done

tokenizer=.cache/bench-peers/tokenizer
if [ ! -f "$tokenizer/tokenizer.json" ]; then
  for peer in inference-perf aiperf guidellm; do
    python=.cache/bench-peers/$peer/bin/python
    [ -x "$python" ] && "$python" bench/client/peers/make-tokenizer.py "$tokenizer" && break
  done
fi
