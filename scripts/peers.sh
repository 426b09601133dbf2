#!/bin/sh
# Installs the peers that `make bench` measures beside Ephor into a Python environment of their own.
set -eu

folder=$1
wanted=$(dirname "$0")/../benches/peers/requirements.txt
kept=$folder/requirements.txt

if cmp -s "$wanted" "$kept"; then
    exit 0
fi
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    echo "make bench needs Python 3 with venv; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi
echo "+ python3 -m venv $folder"
python3 -m venv "$folder"
echo "+ pip install -r benches/peers/requirements.txt"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
# Last, so that an installation that was broken off is made anew.
cp "$wanted" "$kept"
