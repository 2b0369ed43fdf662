#!/bin/sh
# Installs the Debian packages that a step of the build or of the tests needs.
# usage: install-packages.sh GROUP...    GROUP: build demo unit root vm bench
# Does nothing, quickly, if all of them are there. Asks sudo if it has to.
set -eu

packages_of() {
	case $1 in
	build) echo gcc libc6-dev ;;
	demo) echo bash busybox-static ;;
	unit) echo busybox-static kmod systemd systemd-container xz-utils zstd ;; # programs to compare with
	root) echo bash busybox-static debootstrap iproute2 procps systemd-container ;;
	vm) echo busybox-static debootstrap e2fsprogs kmod qemu-system-x86 xz-utils zstd ;;
	bench) echo busybox-static debootstrap runc systemd-container ;;
	*)
		echo "install-packages.sh: unknown group \"$1\" (build, demo, unit, root, vm or bench)" >&2
		return 2
		;;
	esac
}

wanted=
for group in "$@"; do
	wanted="$wanted $(packages_of "$group")"
done

# A system without dpkg is served by its owner: say what is needed, and go on,
# since the same programs may be there under other package names.
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "install-packages.sh: not a Debian system; it needs the like of:$wanted" >&2
	exit 0
fi

missing=
for package in $wanted; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null 2>&1; then
		exec sudo "$0" "$@"
	fi
	echo "install-packages.sh: missing packages; as root: apt-get install$missing" >&2
	# Unit tests skip what they cannot compare with, unless they must not.
	[ "$*" = unit ] && [ -z "${FIRN_REQUIRE:-}" ] && exit 0
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing"
# shellcheck disable=SC2086 # one word per package
install_missing() {
	apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends $missing </dev/null
}
# The package lists may be absent (a fresh image) or older than the mirror.
install_missing >/dev/null 2>&1 || {
	apt-get -q update
	install_missing
}
