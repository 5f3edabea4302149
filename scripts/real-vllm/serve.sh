#!/usr/bin/env bash
# Serves the tiny model: serve.sh PORT [more flags of vllm serve]. Runs in the foreground; start it in a process group
# of its own and end the group, because the engine outlives a killed API process.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engine=$(cd "${ARC_VLLM_ENGINE_DIR:-$here/../../.cache/real-vllm}" && pwd)
port=$1
shift

# Sockets are made under TMPDIR, and a socket path must stay under 108 characters.
export TMPDIR=/tmp/arc-vllm-engine
mkdir -p "$TMPDIR"
# With it each start compiles every module again: 36 s instead of 16 s.
unset PYTHONDONTWRITEBYTECODE
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 VLLM_HOST_IP=127.0.0.1
# One engine process without a worker of its own: two processes would poll shared memory in a loop and take the
# processor from the client. "uni" below needs this variable, otherwise it is turned back into "mp" on a CPU.
export VLLM_ENABLE_V1_MULTIPROCESSING=0
# Leaves the second core to the HTTP process and the client.
export OMP_NUM_THREADS=1
export TORCH_COMPILE_DISABLE=1

exec "$engine/venv/bin/vllm" serve "$engine/model" --served-model-name tiny --host 127.0.0.1 --port "$port" \
  --distributed-executor-backend uni --enforce-eager --dtype float32 \
  --max-model-len 4096 --max-num-seqs 16 --kv-cache-memory-bytes 268435456 \
  --enable-request-id-headers --disable-uvicorn-access-log "$@"
