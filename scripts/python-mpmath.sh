#!/bin/sh
# Prints a Python that has mpmath: the one on the PATH, or Debian's. Fails where neither has.
set -eu
for python in python3 /usr/bin/python3; do
    if "$python" -c "import mpmath" >/dev/null 2>&1; then
        echo "$python"
        exit 0
    fi
done
echo "no Python with mpmath; scripts/setup.sh installs Debian's" >&2
exit 1
