# Shared by every script: where things are, and how progress and failure are shown.
# Sourced with bash; the caller has done `set -euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VENVS="$ROOT/.venv"
CACHE="${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/chiller-plant"
STARTED=$SECONDS

fail() {
  printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The help of a script is the comment block at its top, so that it is written once.
show_help() {
  sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"
}

# begin_log NAME: everything the steps print goes to this file.
begin_log() {
  mkdir -p "$VENVS/log"
  LOG="$VENVS/log/$1.log"
  : >"$LOG"
}

# step "what a person reads" COMMAND...: one line, the time it took, details only on failure.
# The command may be one of our functions. It gets a shell of its own, because bash forgets
# `set -e` inside whatever is called from a condition, as steps often are.
step() {
  local text=$1 begin=$SECONDS
  shift
  printf '[%3ds] %s ... ' $((begin - STARTED)) "$text"
  printf '\n=== %s\n' "$text" >>"$LOG"
  export ROOT LOG UV_COMMAND PYTHON
  if bash -euo pipefail -c 'for library in "$ROOT"/scripts/lib/*.sh; do . "$library"; done; "$@"' \
    "$0" "$@" >>"$LOG" 2>&1 </dev/null; then
    printf '%ds\n' $((SECONDS - begin))
    return
  fi
  printf 'failed\n\nThe last lines of %s:\n' "$LOG"
  tail -n 25 "$LOG" | sed 's/^/  /'
  return 1
}

note() {
  printf '[%3ds] %s\n' $((SECONDS - STARTED)) "$*"
}
