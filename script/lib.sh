# Shared by the scripts in this folder; source it, do not run it.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
BUILD=$ROOT/build
CACHE=$BUILD/cache
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}
cd "$ROOT"

# The environment of the caller must not leak into builds and tests.
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP MXCP_CONFIG MXCP_PROFILE MXCP_DEBUG MXCP_READONLY
unset MXCP_DUCKDB_PATH MXCP_DUCKDB_LIBRARY
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONDONTWRITEBYTECODE=1
# Objects are the same wherever the checkout lies.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1

if [ -t 2 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

# One line per step, on stderr, with the seconds since the script began.
step() { printf '%s[%4ds] %s%s\n' "$bold" "$SECONDS" "$*" "$plain" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# quietly NAME COMMAND...: runs with its output in build/log/NAME.log; shows the end of it on failure.
quietly() {
  local log=$BUILD/log/$1.log status=0
  shift
  mkdir -p "$BUILD/log"
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    tail -n 60 "$log" >&2
    printf 'error: this failed with status %d (all of its output: %s):\n  %s\n' \
      "$status" "${log#"$ROOT"/}" "$*" >&2
    return "$status"
  fi
}

bootstrap() { "$ROOT/script/bootstrap" "$@"; }

# Builds the wheel in build/NAME (kept, so that the next build is incremental) and installs it into
# .venv. What the build needs is there already, so no isolated environment is made for it.
install_mxcp() {
  local name=$1
  shift
  quietly "install-$name" env CMAKE_BUILD_PARALLEL_LEVEL="$JOBS" \
    "$VENV/bin/pip" install --no-build-isolation --no-deps --force-reinstall \
    --config-settings=build-dir="build/$name" "$@" .
}

# configure_and_build PRESET [TARGET...]
configure_and_build() {
  local preset=$1
  shift
  quietly "configure-$preset" cmake --preset "$preset"
  quietly "build-$preset" cmake --build "build/$preset" -j "$JOBS" ${1:+--target "$@"}
}

# Source files that differ from the base of the current work: committed since the merge base with
# $BASE (default origin/main, else the first commit), staged, unstaged or untracked.
changed_files() {
  local base=${BASE:-} merge_base
  if [ -z "$base" ]; then
    if git rev-parse -q --verify origin/main >/dev/null; then base=origin/main
    else base=$(git rev-list --max-parents=0 HEAD | tail -n 1); fi
  fi
  merge_base=$(git merge-base "$base" HEAD 2>/dev/null || echo "$base")
  { git diff --name-only --diff-filter=d "$merge_base" -- "$@"
    git ls-files --others --exclude-standard -- "$@"; } | sort -u
}

# Python style, also of the scripts without an ending. The examples and the test projects are other
# people's code: the tutorial's as printed, and mistakes made on purpose.
ruff_check() {
  "$VENV/bin/ruff" check --quiet --no-cache \
    --extend-exclude examples/tutorial/python --extend-exclude tests/projects \
    . script/check-includes script/count-tests
}
