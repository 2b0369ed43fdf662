// Package wire holds the messages between a VM test on the host and the agent
// in the guest: one JSON object a line, over the guest's second serial port.
//
//	agent: Hello                  when it is ready to serve
//	host:  Request                one at a time
//	agent: Response               to that request
//
// Input and output are the two ends' own types; the stage is the wire.
package wire

import (
	"errors"
	"time"
)

// Agent is where the agent stands in the guest, and Port what it talks through.
const (
	Agent = "/vm/agent"
	Port  = "/dev/ttyS1"
)

// Hello is the agent's first line.
type Hello struct {
	PID    int    // of the agent
	Kernel string // uname -r
}

// Op is what the agent is asked to do.
type Op string

const (
	Run   Op = "run"   // start Argv, answer when it has ended
	Spawn Op = "spawn" // start Argv, answer with its PID at once
	Open  Op = "open"  // open Path for reading and writing, and close it
	Read  Op = "read"  // answer with the content of Path
	Write Op = "write" // write Data to Path, which is made if it is missing
	End   Op = "end"   // end the machine as Path says: poweroff, reboot, halt
)

// Request is one thing to do.
type Request struct {
	Op    Op
	Path  string        `json:",omitempty"`
	Argv  []string      `json:",omitempty"`
	Env   []string      `json:",omitempty"` // added to the agent's
	Data  []byte        `json:",omitempty"` // file content, or standard input
	Limit time.Duration `json:",omitempty"` // of Run; then the process is killed
}

// Response says what came of it.
type Response struct {
	Stdout, Stderr []byte        `json:",omitempty"` // of Read: the content in Stdout
	Status         int           // exit status; 128 + N for signal N; the PID for Spawn
	Took           time.Duration `json:",omitempty"` // in the guest, of Run and Open
	// Problem is why the request could not be carried out, with its errno's
	// sentence; empty for success. A command that ends with a status is one.
	Problem string `json:",omitempty"`
}

// Err returns the problem as an error.
func (r Response) Err() error {
	if r.Problem == "" {
		return nil
	}
	return errors.New(r.Problem)
}
