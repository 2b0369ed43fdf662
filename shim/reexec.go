package main

import (
	"github.com/opencontainers/runc/libcontainer"
	_ "github.com/opencontainers/runc/libcontainer/nsenter" // enters namespaces before the Go runtime starts
)

// reexecArg is what libcontainer starts its second stage with.
const reexecArg = "init"

// containerInit is libcontainer's stage inside the new namespaces: it mounts,
// drops privileges and executes PID 1.
func containerInit() { libcontainer.Init() }
