#!/bin/sh
# Write the lock files anew: exact versions and hashes for every platform, and no address of any index.
#   tools/lock.sh             keeps what is locked, adds what is missing
#   tools/lock.sh --upgrade   takes the newest of everything
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
compile() { # NAME ARGUMENT...
  name=$1
  shift
  "$uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-header --no-annotate "$@" -o "requirements/$name.txt"
}
upgrade=${1:-}
compile dev $upgrade pyproject.toml --extra local --group dev
compile local $upgrade pyproject.toml --extra local --group build -c requirements/dev.txt
for service in fetcher scorer summarizer publisher; do
  compile "$service" $upgrade pyproject.toml --extra "$service" -c requirements/dev.txt
done
tool() { # NAME REQUIREMENT...
  name=$1
  shift
  printf '%s\n' "$@" | "$uv" pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-emit-find-links --no-header --no-annotate $upgrade - -o "requirements/$name.txt"
}
tool uv uv
# 3.1 has no wheel for Python 3.11.
tool fuzz "atheris<3.1; python_version < '3.12'" "atheris; python_version >= '3.12'"
