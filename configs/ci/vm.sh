#!/usr/bin/env bash
# Boots Debian's own kernel in QEMU and tests scanners on its USB. The kernel is
# fetched and unpacked into a temporary folder, not installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(dpkg --print-architecture)" != amd64 ]; then
  echo "The virtual machine is one for amd64; this machine is not. Nothing is tested." >&2
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
kernel() { apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends: linux-image-/ {print $2; exit}'; }
package=$(kernel)
if [ -z "$package" ] && [ "$(id -u)" -eq 0 ]; then
  apt-get -q update
  package=$(kernel)
fi
if [ -z "$package" ]; then
  echo "cannot find the kernel: apt knows no linux-image-amd64; run apt-get update" >&2
  exit 1
fi
(
  cd "$folder"
  apt-get -q -o APT::Sandbox::User=root download "$package"
  dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x --wildcards './boot/vmlinuz-*' './lib/modules/*'
  rm "$package"_*.deb
)
LINTAS_VM=$folder ${GO:-go} test -count=1 -v -timeout 20m ./agent/e2e/vm
