#!/usr/bin/env bash
# Make or refresh a virtual environment of this project; does nothing, quickly, when it is up to date.
#
#   scripts/setup_env.sh           .venv       Python 3.10, with Lava
#   scripts/setup_env.sh --core    .venv-core  the newest Python from 3.11 to 3.13, without Lava
#   --python PATH                  use this interpreter
#   --find                         only print the interpreter that would be used; exit status 1 if there is none
#
# This half finds an interpreter; setup_env.py, run by it, does the rest. Nothing is printed on standard output but --find's answer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# What the caller's shell has activated must not leak into the environment that is made here.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

env=.venv versions="3.10" chosen="" find_only=""
while [ $# -gt 0 ]; do
    case $1 in
        --core) env=.venv-core versions="3.13 3.12 3.11" ;;
        --python) chosen=${2:?--python needs a path} && shift ;;
        --find) find_only=yes ;;
        *) echo "setup: unknown option $1" >&2 && exit 2 ;;
    esac
    shift
done

# Prints the real path of interpreter $1 if it starts and is Python $2. A name on PATH proves nothing: pyenv's shims exist for
# versions that are not selected and then fail. A virtual environment answers with the interpreter it was made from; one that is a
# copy cannot, and an environment must not be made from itself.
starts() {
    local code path
    code='import os, sys; "%d.%d" % sys.version_info[:2] == sys.argv[1] or sys.exit(1); print(os.path.realpath(sys.executable))'
    path=$("$1" -I -S -c "$code" "$2" 2>/dev/null </dev/null) || return 1
    case $path in "$PWD"/*) return 1 ;; esac
    echo "$path"
}

find_python() {
    local version candidate
    for version in $versions; do
        for candidate in "$env/bin/python" "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python \
            python3 python "/opt/homebrew/bin/python$version" "/usr/local/bin/python$version" "/usr/bin/python$version"; do
            starts "$candidate" "$version" && return
        done
    done
    for version in $versions; do # last, as it may download one: https://docs.astral.sh/uv/concepts/python-versions
        candidate=$(uv python find --system --no-project "$version" 2>/dev/null </dev/null) && starts "$candidate" "$version" && return
    done
    [ -z "$find_only" ] || return 1
    version=${versions%% *}
    echo "setup: no Python $version found; asking uv to install one" >&2
    uv python install "$version" >/dev/null 2>&1 </dev/null || return 1
    candidate=$(uv python find --system --no-project "$version" 2>/dev/null </dev/null) && starts "$candidate" "$version"
}

if [ -n "$chosen" ]; then
    python=""
    for version in $versions; do
        python=$(starts "$chosen" "$version") && break
    done
    [ -n "$python" ] || { echo "setup: $chosen does not start, or is not Python ${versions// / or }" >&2 && exit 1; }
elif ! python=$(find_python); then
    [ -n "$find_only" ] || echo "setup: no Python ${versions// / or } that starts was found: on PATH, among pyenv's versions or by uv." \
        "Install one (for example: pyenv install ${versions%% *}) or name one: make PYTHON=/path/to/python" >&2
    exit 1
fi

if [ -n "$find_only" ]; then
    echo "$python"
else
    exec "$python" -I scripts/setup_env.py "$env" >&2
fi
