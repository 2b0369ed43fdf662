//go:build root

package root_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// burst makes orphans: each subshell ends without waiting for its child, which
// then belongs to PID 1. $1 is how many; a SIGTERM is answered at once.
const burst = `
	terms=0
	trap 'terms=$((terms + 1)); echo "term $terms"' TERM
	echo begin
	i=0
	while [ $i -lt $1 ]; do
		( : & )
		i=$((i + 1))
	done
	echo end
	while [ ! -e /stop ]; do sleep 0.02; done
	exit 5
`

// TestOrphans: firn-init reaps every orphan of a burst, forwards signals
// meanwhile, and passes the command's exit code on.
func TestOrphans(t *testing.T) {
	for _, count := range []int{1000, 10000} {
		t.Run(strconv.Itoa(count), func(t *testing.T) {
			host.Watch(t)
			name, root := fmt.Sprintf("orphans-%d", count), rootfs.Debian(t)
			c := start(t, name, "-D", root, "--bind-ro="+program(t, "firn-init")+":/firn-init",
				"/firn-init", "/bin/sh", "-c", burst, "sh", strconv.Itoa(count))
			c.await(startLimit, "the burst", func() bool { return c.says("begin") })
			pid := leader(name)

			signals, slowest := 0, time.Duration(0)
			for !c.says("end") {
				if err := signalLeader(name, syscall.SIGTERM); err != nil {
					t.Fatalf("signal %d: %v", signals, err)
				}
				signals++
				begin, answer := time.Now(), fmt.Sprintf("term %d", signals)
				c.await(stopLimit, answer, func() bool { return c.says(answer) })
				slowest = max(slowest, time.Since(begin))
			}
			t.Logf("%d orphans, %d signals forwarded meanwhile, the slowest in %v", count, signals, slowest)
			if signals < 5 {
				t.Errorf("only %d signals were sent during the burst", signals)
			}
			c.await(2*time.Second, "end of zombies", func() bool { return len(zombies(pid)) == 0 })

			if err := os.WriteFile(filepath.Join(root, "stop"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if code := c.wait(stopLimit); code != 5 {
				t.Errorf("exit code %d, want the command's 5", code)
			}
		})
	}
}

// says reports whether the container has printed a line.
func (c *container) says(line string) bool {
	return strings.Contains("\n"+strings.ReplaceAll(c.output.String(), "\r", ""), "\n"+line+"\n")
}

// zombies lists the children of a process that have ended and are not reaped.
func zombies(parent int) []string {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // gone meanwhile
		}
		// PID (COMM) STATE PPID; COMM may hold anything.
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] == "Z" && fields[1] == strconv.Itoa(parent) {
			found = append(found, file)
		}
	}
	return found
}
