#!/bin/sh
# ./run.sh selftest [--simulate]
# ./run.sh measure throughput|latency
# ./run.sh run DATA.npz [--samples N] [--out RESULT.npz] [--simulate]
#
# Uses .venv in this folder, or the program that PYTHON names, or python3.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
if [ -z "${PYTHON:-}" ]; then
    if [ -x "$here/.venv/bin/python" ]; then PYTHON="$here/.venv/bin/python"; else PYTHON=python3; fi
fi
PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
exec "$PYTHON" -m loihiconv.lava.bundle "$here" "$@"
