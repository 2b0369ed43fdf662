#!/bin/bash
# fetch.sh: unpack Debian's stock kernels for the tests of kmod, devnodes and
# the VM. Nothing is installed on the host but the programs the unpacking needs.
#
#   $FIRN_CACHE/kernels/LABEL/boot/vmlinuz-VERSION
#   $FIRN_CACHE/kernels/LABEL/lib/modules/VERSION/...   with depmod's indexes
#   $FIRN_CACHE/kernels/LABEL/version                   written last
#
# Labels: 6.1 (plain .ko, fuse a module, no decompression in the kernel),
# 6.12 (.ko.xz, decompression in the kernel), and 6.1-cloud, 6.12-cloud.
# FIRN_CACHE defaults to $HOME/.cache/firn. Idempotent; parallel runs wait.
# Usage: fetch.sh [LABEL...]      (all four without arguments)
set -euo pipefail
cache=${FIRN_CACHE:-$HOME/.cache/firn}/kernels

declare -A package=(
  [6.1]=linux-image-amd64
  [6.12]=linux-image-6.12-amd64
  [6.1-cloud]=linux-image-cloud-amd64
  [6.12-cloud]=linux-image-6.12-cloud-amd64
)
die() { echo "fetch.sh: $*" >&2; exit 1; }
[ $# -gt 0 ] || set -- 6.1 6.12 6.1-cloud 6.12-cloud

command -v apt-get >/dev/null || die "no apt-get: the test kernels are Debian's"
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9

missing=()
for need in depmod:kmod zstd:zstd xz:xz-utils dpkg-deb:dpkg; do
  command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || die "install ${missing[*]} first, or run as root"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
fi

# The meta package names the image package of the newest ABI.
image_of() {
  apt-cache depends "$1" 2>/dev/null | awk '/Depends: linux-image-[0-9]/ {print $2; exit}'
}

for label; do
  meta=${package[$label]-}
  [ -n "$meta" ] || die "no kernel $label (known: ${!package[*]})"
  dir=$cache/$label
  [ -e "$dir/version" ] && continue
  image=$(image_of "$meta")
  if [ -z "$image" ]; then
    [ "$(id -u)" = 0 ] && apt-get update -qq
    image=$(image_of "$meta")
  fi
  [ -n "$image" ] || die "apt knows no $meta"
  version=${image#linux-image-}
  part=$dir.part
  rm -rf "$part" "$dir"
  mkdir -p "$part/deb"
  # apt's sandbox user cannot write here, which is only a warning.
  (cd "$part/deb" && apt-get download -qq "$image" 2>/dev/null) || die "apt-get download $image"
  dpkg-deb -x "$part"/deb/*.deb "$part"
  rm -rf "${part:?}/deb" "${part:?}/usr/share"
  # The package runs depmod when it is configured, so it ships no indexes.
  depmod -b "$part" "$version"
  echo "$version" >"$part/version"
  mv "$part" "$dir"
  echo "$label: $version"
done
