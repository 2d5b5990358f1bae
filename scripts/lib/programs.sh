# Servers that tests talk to for real. They are unpacked beside the system where it has none:
# a package that is installed also starts what it brings, which nobody asked for.

# ENV|program|the Debian package that brings it
PROGRAMS='
test|postgres|postgresql
test|mosquitto|mosquitto
run|mosquitto|mosquitto
'
# Part of the cache key: raise it when the recipe below changes.
PROGRAMS_RECIPE=1

# missing_programs ENV: the programs that ENV needs and that are not linked in .venv/programs.
missing_programs() {
  local environment program package
  while IFS='|' read -r environment program package; do
    [ "$environment" = "$1" ] && [ ! -x "$VENVS/programs/$program" ] && echo "$program"
  done <<<"$PROGRAMS" || true
}

# find_program PROGRAM: link the system's own, or what was unpacked before, or unpack it now.
find_program() {
  local target="$CACHE/debian-programs-r$PROGRAMS_RECIPE/$1"
  link_program "$1" "" && return
  [ -e "$target/.complete" ] && link_program "$1" "$target" && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null &&
    step "unpacking $1 beside the system" unpack_program "$1" "$target" && return
  note "missing on this machine: $1 (Debian package $(package_of "$1")); put it on PATH"
  return 1
}

package_of() {
  sed -n "/^[a-z]*|$1|/{s///p;q}" <<<"$PROGRAMS"
}

# link_program PROGRAM ROOT: in .venv/programs, if it is under ROOT and runs.
link_program() {
  local found
  for found in $([ -n "$2" ] || command -v "$1") "$2"/usr/sbin/"$1" "$2"/usr/bin/"$1" \
    "$2"/usr/lib/postgresql/*/bin/"$1"; do
    found=$(readlink -f "$found") && [ -x "$found" ] || continue
    # One that is not there or lacks a library says so by 126 and above.
    run_unpacked "$2" "$found" --help >/dev/null 2>&1 || [ $? -lt 126 ] || continue
    mkdir -p "$VENVS/programs"
    ln -sfn "$found" "$VENVS/programs/$1"
    return
  done
  return 1
}

# run_unpacked ROOT COMMAND...: with the libraries that were unpacked with it.
run_unpacked() {
  local libraries
  libraries=$([ -z "$1" ] || printf '%s:' "$1"/usr/lib/*-linux-gnu* "$1"/lib/*-linux-gnu*)
  LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:-}" "${@:2}"
}

# unpack_program PROGRAM TARGET: the package and what it needs that this machine has not. apt uses
# the machine's own sources, with lists and a cache of its own, so that nobody has to be root.
unpack_program() {
  local private private_apt package
  mkdir -p "$(dirname "$2")"
  # Only one set-up runs at a time, so these were left by one that was killed.
  rm -rf "$CACHE"/apt.*
  private=$(mktemp -d "$CACHE/apt.XXXXXX")
  trap "rm -rf '$private'" EXIT
  mkdir -p "$private"/{lists/partial,archives/partial}
  private_apt=(apt-get --assume-yes
    -o Dir::State::Lists="$private/lists" -o Dir::Cache="$private"
    -o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=true)
  "${private_apt[@]}" update
  "${private_apt[@]}" --download-only install "$(package_of "$1")"
  rm -rf "$2"
  mkdir -p "$2"
  for package in "$private"/archives/*.deb; do
    dpkg-deb -x "$package" "$2"
  done
  link_program "$1" "$2"
  # Last, so that an unpack that was cut short is never taken for a whole one.
  touch "$2/.complete"
}
