#!/bin/sh
# Runs each fuzz target of the tree in turn, each for the given time.
# usage: fuzz.sh TAGS TIME
set -eu
tags=$1 time=$2
cd "$(dirname "$0")/.."
found=0
for package in $(go list -tags "$tags" ./...); do
	for target in $(go test -tags "$tags" -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		found=$((found + 1))
		echo "== $package $target"
		go test -tags "$tags" -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done
echo "$found fuzz targets ran $time each"
[ "$found" -gt 0 ]
