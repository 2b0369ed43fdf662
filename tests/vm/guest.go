package vm

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"firn/tests/vm/wire"
)

// Guest is a running machine whose agent serves. Its methods end the test when
// the machine itself goes wrong; what a command in it does is the test's to judge.
type Guest struct {
	tb    testing.TB
	p     *process
	in    *json.Decoder
	Hello wire.Hello
}

// runLimit bounds a command whose end the test does not bound itself.
const runLimit = 60 * time.Second

// Start boots the machine and waits until its agent serves. The machine is gone
// when the test ends; where the test failed its console is shown.
func Start(tb testing.TB, m Machine) *Guest {
	tb.Helper()
	g := Launch(tb, m)
	g.Ready(m.withDefaults().BootLimit)
	return g
}

// Launch boots the machine and waits for nothing: for machines that are to end
// by themselves, or whose agent comes later (Ready).
func Launch(tb testing.TB, m Machine) *Guest {
	tb.Helper()
	p, err := m.withDefaults().launch(tb)
	if err != nil {
		tb.Fatalf("start machine: %v", err)
	}
	g := &Guest{tb: tb, p: p, in: json.NewDecoder(p.control)}
	tb.Cleanup(func() {
		p.end()
		if p.err != nil {
			tb.Error(p.err)
		}
		if tb.Failed() || os.Getenv("FIRN_VM_CONSOLE") != "" {
			tb.Logf("console (%v):\n%s", g.ending(), tail(p.console.String()))
		}
	})
	return g
}

// Ready waits for the agent.
func (g *Guest) Ready(limit time.Duration) {
	g.tb.Helper()
	if err := g.p.control.SetReadDeadline(time.Now().Add(limit)); err != nil {
		g.tb.Fatal(err)
	}
	if err := g.in.Decode(&g.Hello); err != nil {
		g.tb.Fatalf("no agent in the machine: %v", err)
	}
}

// tail is the end of a console, in which the rest is rarely wanted.
func tail(console string) string {
	const most = 16 << 10
	if len(console) > most {
		return "...\n" + console[len(console)-most:]
	}
	return console
}

// Do carries one request out.
func (g *Guest) Do(req wire.Request) wire.Response {
	g.tb.Helper()
	if req.Op == wire.Run && req.Limit == 0 {
		req.Limit = runLimit
	}
	res, err := g.exchange(req)
	if err != nil {
		g.tb.Fatalf("%s %s%s in the machine: %v", req.Op, req.Path, strings.Join(req.Argv, " "), err)
	}
	return res
}

func (g *Guest) exchange(req wire.Request) (wire.Response, error) {
	var res wire.Response
	// The agent answers in any case within the command's own limit.
	if err := g.p.control.SetDeadline(time.Now().Add(req.Limit + runLimit)); err != nil {
		return res, err
	}
	if err := json.NewEncoder(g.p.control).Encode(req); err != nil {
		return res, err
	}
	return res, g.in.Decode(&res)
}

// Output is what a command has said, and how it ended.
type Output struct {
	Stdout, Stderr string
	Status         int
	Took           time.Duration // in the guest
}

// String shows an output in a test's message.
func (o Output) String() string {
	return fmt.Sprintf("status %d\nstdout: %sstderr: %s", o.Status, o.Stdout, o.Stderr)
}

// Run runs a command, whatever its status.
func (g *Guest) Run(argv ...string) Output {
	g.tb.Helper()
	res := g.Do(wire.Request{Op: wire.Run, Argv: argv})
	if err := res.Err(); err != nil {
		g.tb.Fatalf("run %s in the machine: %v\n%s%s", strings.Join(argv, " "), err, res.Stdout, res.Stderr)
	}
	return Output{string(res.Stdout), string(res.Stderr), res.Status, res.Took}
}

// Must runs a command that has to succeed and returns what it printed.
func (g *Guest) Must(argv ...string) string {
	g.tb.Helper()
	out := g.Run(argv...)
	if out.Status != 0 {
		g.tb.Fatalf("%s: %v", strings.Join(argv, " "), out)
	}
	return out.Stdout
}

// Shell runs a script that has to succeed and returns what it printed.
func (g *Guest) Shell(script string) string {
	g.tb.Helper()
	return g.Must("/bin/sh", "-c", script)
}

// Open opens a file in the guest and closes it.
func (g *Guest) Open(path string) error {
	g.tb.Helper()
	return g.Do(wire.Request{Op: wire.Open, Path: path}).Err()
}

// Read returns a file's content.
func (g *Guest) Read(path string) string {
	g.tb.Helper()
	res := g.Do(wire.Request{Op: wire.Read, Path: path})
	if err := res.Err(); err != nil {
		g.tb.Fatalf("in the machine: %v", err)
	}
	return string(res.Stdout)
}

// Write writes a file.
func (g *Guest) Write(path, content string) {
	g.tb.Helper()
	if err := g.Do(wire.Request{Op: wire.Write, Path: path, Data: []byte(content)}).Err(); err != nil {
		g.tb.Fatalf("in the machine: %v", err)
	}
}

// Modules returns the names of the modules that are loaded.
func (g *Guest) Modules() map[string]bool {
	g.tb.Helper()
	loaded := map[string]bool{}
	for line := range strings.Lines(g.Read("/proc/modules")) {
		name, _, _ := strings.Cut(line, " ")
		loaded[name] = true
	}
	return loaded
}

// Console returns what the machine has printed so far.
func (g *Guest) Console() string { return g.p.console.String() }

// Wait waits for the machine to end by itself, and says how.
func (g *Guest) Wait(limit time.Duration) Ending {
	g.tb.Helper()
	select {
	case <-g.p.ended:
	case <-time.After(limit):
		g.tb.Fatalf("the machine still runs after %v", limit)
	}
	return g.ending()
}

// ending is valid once the machine has ended.
func (g *Guest) ending() Ending {
	return ending(g.p.reason, g.p.console.String(), g.p.killed)
}

// Finish runs a command that ends the machine, and says how it has ended.
func (g *Guest) Finish(limit time.Duration, argv ...string) Ending {
	g.tb.Helper()
	// The machine may be gone before the answer is.
	res, err := g.exchange(wire.Request{Op: wire.Spawn, Argv: argv})
	if err == nil && res.Problem != "" {
		g.tb.Fatalf("run %s in the machine: %s", strings.Join(argv, " "), res.Problem)
	}
	return g.Wait(limit)
}

// End has the agent end the machine: "poweroff", "reboot" or "halt".
func (g *Guest) End(how string) Ending {
	g.tb.Helper()
	// No answer comes from a machine that ends.
	if res, err := g.exchange(wire.Request{Op: wire.End, Path: how}); err == nil && res.Problem != "" {
		g.tb.Fatalf("%s the machine: %s", how, res.Problem)
	}
	return g.Wait(30 * time.Second)
}
