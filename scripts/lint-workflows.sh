#!/usr/bin/env bash
# actionlint, zizmor and the schemas of workflows and action.yml, over our own workflows and the examples.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=.cache/workflow-lint

if [ ! -x "$tools/bin/zizmor" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet zizmor==1.32.0 check-jsonschema==0.39.0
fi

workflows=(.github/workflows/*.yml examples/workflows/*.yml)
"$tools/bin/check-jsonschema" --builtin-schema vendor.github-workflows "${workflows[@]}"
"$tools/bin/check-jsonschema" --builtin-schema vendor.github-actions action.yml
"$tools/bin/zizmor" --offline --quiet .github/workflows action.yml examples/workflows

# actionlint comes as Go source only; where there is no Go the schemas above have to do.
if command -v go >/dev/null; then
  [ -x "$tools/bin/actionlint" ] ||
    GOBIN="$PWD/$tools/bin" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
  "$tools/bin/actionlint" "${workflows[@]}"
fi
