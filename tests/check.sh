#!/bin/sh
# Looks for what is mechanically wrong in the tree; names each step that finds
# something and goes on, so that one run shows all.
# usage: check.sh TAGS TESTTAGS DIRECTORY...
# shellcheck disable=SC2317 # the functions are called through step
set -eu
tags=$1 testtags=$2
shift 2
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0

step() { # name, command...
	name=$1
	shift
	if "$@" >"$scratch/out" 2>&1; then
		echo "ok    $name"
	else
		bad=1
		echo "FAIL  $name"
		sed 's/^/      /' "$scratch/out"
	fi
}

formatted() { # directories
	unformatted=$(gofmt -l "$@") || return 1
	[ -z "$unformatted" ] || { echo "$unformatted" && return 1; }
}

# vendor/ must be what go.mod and go.sum say; a difference is a change that was
# made by hand or forgotten.
vendored() {
	go mod tidy -diff && go mod vendor -o "$scratch/vendor" && diff -r vendor "$scratch/vendor"
}

step gofmt formatted "$@"
step vet go vet -tags "$tags" ./...
step "vet, tests as root and in VMs" go vet -tags "$testtags" ./...
step staticcheck go tool staticcheck -tags "$testtags" ./...
step "import table" go test -count=1 ./tests
[ ! -d vendor ] || step vendor vendored
if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2046 # one word per script
	step shellcheck shellcheck $(grep -rlE '^#!/bin/(ba)?sh' .ci tests --include='*.sh' --include=run)
fi
exit $bad
