# shellcheck shell=bash
# The set-up that tools/run and tools/test share; sourced, not started.
#
# setup run | setup dev: .venv exists, holds exactly the locked packages (checked by hash) and this checkout,
# editable. What was installed is written into a stamp once it is complete; while the stamp holds, nothing is done,
# so that a second start costs milliseconds. An interrupted installation has no stamp and is done again.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv

# A closed standard input would hand its number to the first file that a program opens.
if ! { true <&0; } 2>/dev/null; then exec </dev/null; fi

say() { printf 'modemgw: %s\n' "$*" >&2; }
give_up() { say "$@"; exit 1; }

# Prints the first Python that is new enough and can make a virtual environment.
find_python() {
  local candidate path bare=
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    path=$(command -v "$candidate" 2>/dev/null) || continue
    "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null </dev/null || continue
    if "$path" -c 'import ensurepip, venv' 2>/dev/null </dev/null; then
      printf '%s\n' "$path"
      return
    fi
    bare=$path
  done
  if [ -n "$bare" ]; then
    give_up "$bare cannot make a virtual environment. On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python3-venv"
  fi
  give_up "Python 3.11 or newer is needed and none was found. On Debian 12, Ubuntu 24.04, Raspberry Pi OS 12 or later:" \
    "sudo apt install python3 python3-venv git"
}

# Everything that the installation depends on; a changed line means: install again.
wanted() {
  "$venv/bin/python" -V 2>&1 || return
  printf '%s\n' "$root"
  cksum <"$root/pyproject.toml"
  cksum <"$root/tools/requirements.txt"
  if [ "$1" = dev ]; then cksum <"$root/tools/requirements-dev.txt"; fi
}

is_installed() {
  local stamp=$venv/.installed-$1
  [ -f "$stamp" ] && [ -x "$venv/bin/modemgw" ] && [ "$(wanted "$1")" = "$(cat "$stamp")" ]
}

install() {
  local kind=$1 lock=$root/tools/requirements.txt python
  if [ "$kind" = dev ]; then lock=$root/tools/requirements-dev.txt; fi
  rm -f "$venv"/.installed-*
  # A half-made environment, or one whose Python was removed by an upgrade, or one copied from elsewhere: start afresh.
  if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    ! grep -qsF "$venv" "$venv/bin/activate"; then
    python=$(find_python) || exit 1
    say "first start: making .venv with $("$python" -V)"
    rm -rf "$venv"
    "$python" -m venv "$venv" || give_up "the virtual environment could not be made (see above). On Debian: sudo apt install python3-venv"
  fi
  say "installing $(grep -c '==' "$lock") packages into .venv; this takes about a minute, once"
  "$venv/bin/python" -m pip install --quiet --require-hashes -r "$lock" ||
    give_up "the packages could not be installed (see above). Is the internet reachable? Start again to go on where it stopped"
  "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --no-index --editable "$root" ||
    give_up "modemgw itself could not be installed (see above)"
  wanted "$kind" >"$venv/.installed-$kind"
  # The development set contains the other one.
  if [ "$kind" = dev ]; then wanted run >"$venv/.installed-run"; fi
  say "installed"
}

setup() {
  is_installed "$1" && return
  (
    # Two starts at once must not install into each other. The lock lives beside .venv, which may be replaced.
    mkdir -p "$root/.cache"
    if command -v flock >/dev/null; then exec 9>"$root/.cache/setup.lock" && flock 9; fi
    is_installed "$1" && exit
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0
    install "$1"
  ) || exit 1
}
