# Builds the three environments from requirements/*.txt, and knows when there is nothing to do.

# What the system must have: a file that proves it, and the Debian package that brings it.
# ENV|proof|package
SYSTEM_PACKAGES='
test|/usr/bin/g++|g++
test|/usr/bin/pkg-config|pkgconf
test|/usr/include/modbus/modbus.h|libmodbus-dev
run|/usr/bin/g++|g++
browser|/usr/bin/chromium|chromium
browser|/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf|fonts-liberation
'

# missing_packages ENV: the packages that ENV needs and this machine has not.
missing_packages() {
  local environment proof package
  while IFS='|' read -r environment proof package; do
    [ "$environment" = "$1" ] && [ ! -e "$proof" ] && echo "$package"
  done <<<"$SYSTEM_PACKAGES" || true
}

# install_packages PACKAGE...: by apt where we may; otherwise says what a person has to type.
install_packages() {
  if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
    step "installing $*" apt_install "$@" && return
  fi
  note "missing on this machine: $*. On Debian or Ubuntu: sudo apt-get install $*"
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
  local install=(as_root env DEBIAN_FRONTEND=noninteractive
    apt-get --assume-yes --no-install-recommends install "$@")
  # Only a machine with old or no package lists has to fetch them.
  "${install[@]}" || { as_root apt-get update && "${install[@]}"; }
}

# What the stamp of a finished environment says; another content means: build it again.
stamp() {
  sha256sum <"$ROOT/requirements/$1.txt" | cut -d' ' -f1
  readlink -f "$VENVS/$1/bin/python"
}

is_ready() {
  [ -x "$VENVS/$1/bin/python" ] && [ -f "$VENVS/$1/.ready" ] && [ "$(stamp "$1")" = "$(<"$VENVS/$1/.ready")" ]
}

# build ENV: PYTHON and UV_COMMAND are set. The stamp is written last.
build() {
  local environment=$1 count
  count=$(grep -c '==' "$ROOT/requirements/$environment.txt")
  rm -f "$VENVS/$environment/.ready"
  step "$environment: making the environment" make_environment "$environment" || return
  step "$environment: installing $count pinned packages and what they need" \
    install_requirements "$environment" || return
  step "$environment: checking it" "check_$environment" || return
  stamp "$environment" >"$VENVS/$environment/.ready"
}

# An environment with the same Python is brought up to date in place, which costs a second.
make_environment() {
  if [ "$(readlink -f "$VENVS/$1/bin/python")" = "$(readlink -f "$PYTHON")" ]; then
    echo "kept: $VENVS/$1"
  else
    "$UV_COMMAND" venv --no-project --clear --python "$PYTHON" "$VENVS/$1"
  fi
}

install_requirements() {
  local requirements="$ROOT/requirements/$1.txt" install constraints
  install=("$UV_COMMAND" pip install --python "$VENVS/$1/bin/python")
  export CPATH
  CPATH=$(extension_include_path)
  if grep -q '^homeassistant==' "$requirements"; then
    # Home Assistant's wheel carries the versions of everything it was tested with.
    "${install[@]}" --no-deps "$(grep '^homeassistant==' "$requirements")"
    constraints=$("$VENVS/$1/bin/python" -c \
      'import importlib.util as u; print(u.find_spec("homeassistant").submodule_search_locations[0])')
    install+=(--constraints "$constraints/package_constraints.txt")
  fi
  "${install[@]}" --requirements "$requirements"
  "$UV_COMMAND" pip check --python "$VENVS/$1/bin/python"
}

check_test() {
  "$VENVS/test/bin/python" -c 'import homeassistant, bacpypes3, rusty_bacnet, modbus_connection, ical, numpy, hypothesis'
}

# Without the two audio extensions the frontend does not load and no client can list the actions.
check_run() {
  "$VENVS/run/bin/hass" --version | grep -Fx "$(sed -n 's/^homeassistant==//p' "$ROOT/requirements/run.txt")" &&
    "$VENVS/run/bin/python" -c 'import homeassistant.components.analytics, homeassistant.components.assist_satellite, hass_frontend, bacpypes3, playwright'
}

check_engine() {
  "$VENVS/engine/bin/python" -c 'import appdaemon.plugins.hass, numpy, hypothesis'
}
