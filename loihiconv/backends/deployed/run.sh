#!/bin/sh
# ./run.sh selftest [--simulate]
# ./run.sh measure throughput|latency [--samples N]
# ./run.sh run DATA.npz [--samples N] [--out RESULT.npz] [--simulate]
#
# Uses the program that PYTHON names, or .venv in this folder, or the Python that loihiconv uses for Lava: what LOIHICONV_LAVA_PYTHON
# names, or where python3 has no Lava the one of `loihiconv lava install`; else python3.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -z "${PYTHON:-}" ]; then
    installed="${LOIHICONV_LAVA_HOME:-${HOME:-}/.local/share/loihiconv/lava}/bin/python"
    if [ -x "$here/.venv/bin/python" ]; then
        PYTHON="$here/.venv/bin/python"
    elif [ -n "${LOIHICONV_LAVA_PYTHON:-}" ]; then
        PYTHON="$LOIHICONV_LAVA_PYTHON"
    elif [ -x "$installed" ] && ! python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("lava") is None)' 2>/dev/null; then
        PYTHON="$installed"
    else
        PYTHON=python3
    fi
fi
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
if ! command -v "$PYTHON" >/dev/null; then
    echo "error: $PYTHON: no such program; name a Python 3.10 that has what requirements.txt lists: PYTHON=/path/to/python" >&2
    exit 2
fi
if ! "$PYTHON" -c 'import numpy' 2>/dev/null; then
    echo "error: $PYTHON has no numpy; install requirements.txt into .venv in this folder, or name another: PYTHON=/path/to/python" >&2
    exit 2
fi
exec "$PYTHON" -m loihiconv.lava.bundle "$here" "$@"
