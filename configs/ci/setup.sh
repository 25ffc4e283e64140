#!/usr/bin/env bash
# Installs the Debian packages named as arguments, if they are missing and no
# program has their name. Needs root or sudo for that; otherwise says what to
# install.
set -euo pipefail

missing=()
for wanted in "$@"; do
  package=${wanted%%:*} program=${wanted##*:}
  # mosquitto lives in /usr/sbin, which is not on everybody's path.
  PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null ||
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
    missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
    echo "The tests need these Debian packages: ${missing[*]}" >&2
    echo "Install them with: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -q update
# The broker is started by the tests, on ports of their own: the package's own
# service must not come up.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get -q install -y --no-install-recommends "${missing[@]}"
