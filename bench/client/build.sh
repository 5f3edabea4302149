#!/usr/bin/env bash
# Compiles the truth server, the sink client and the process meter into .cache/bench-client/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=.cache/bench-client
mkdir -p "$out"
flags=(-std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wno-format-truncation -Werror)

# build PROGRAM SOURCE…: only when a source is newer; the new file takes the old one's name whole, a running one is left alone.
build() {
  local program=$out/$1
  shift
  if [ -x "$program" ] && [ -z "$(find bench/client -maxdepth 2 -name '*.[ch]' -newer "$program" -print -quit)" ]; then return; fi
  gcc "${flags[@]}" -o "$program.new" "$@" -lm
  mv "$program.new" "$program"
}

build truth-server bench/client/truth-server.c bench/client/truth/*.c
build sink-client bench/client/sink-client.c
build meter bench/client/meter.c
