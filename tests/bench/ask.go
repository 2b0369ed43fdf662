package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds each start and each stop.
const patience = 60 * time.Second

// haltSignal is SIGRTMIN+3 as C libraries count it.
const haltSignal = syscall.Signal(34 + 3)

// A sample is what was measured of one peer; times in milliseconds, memory in kB.
type sample struct {
	peer                       string
	start, stop, pss, resident []float64
}

// ask measures all peers runs times, taking turns, so that what disturbs the
// machine disturbs all. The first turn is not counted: caches are cold.
func ask(peers []peer, p payload, runs int) ([]sample, error) {
	var samples []sample
	for _, peer := range peers {
		if cmd, err := peer.command(p); err != nil {
			return nil, err
		} else if cmd != nil {
			samples = append(samples, sample{peer: peer.name})
		}
	}
	for turn := range runs + 1 {
		at := 0
		for _, peer := range peers {
			cmd, err := peer.command(p)
			if err != nil {
				return nil, err
			}
			if cmd == nil {
				continue
			}
			into := &samples[at]
			if at++; turn == 0 {
				into = &sample{}
			}
			if err := once(cmd, p, into); err != nil {
				return nil, fmt.Errorf("%s: %w", peer.name, err)
			}
		}
	}
	return samples, nil
}

// once runs one container and adds what it measured.
func once(cmd *exec.Cmd, p payload, into *sample) error {
	notify, ready, err := listen()
	if err != nil {
		return err
	}
	defer func() { _ = notify.Close() }() // its directory goes with the scratch
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	if p.boot { // runc waits for a message from the payload wherever it sees the variable
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+notify.LocalAddr().String())
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &output, &output, time.Second
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if !p.stops {
		err := within(ended, &output)
		into.start = append(into.start, milliseconds(begin))
		return err
	}
	leader, err := await(cmd.Process.Pid, p, ready, ended)
	if err != nil {
		_ = cmd.Process.Kill() // the error that matters is the one before
		return fmt.Errorf("%w: %s", err, output.String())
	}
	into.start = append(into.start, milliseconds(begin))
	time.Sleep(50 * time.Millisecond) // for the supervisor to come to rest
	into.pss = append(into.pss, memory(cmd.Process.Pid, "Pss:"))
	into.resident = append(into.resident, memory(cmd.Process.Pid, "Rss:"))
	begin = time.Now()
	if err := syscall.Kill(leader, haltSignal); err != nil {
		return err
	}
	err = within(ended, &output)
	into.stop = append(into.stop, milliseconds(begin))
	// A payload that is ended by a signal is told differently by each peer.
	if exit := new(exec.ExitError); errors.As(err, &exit) && !p.boot {
		return nil
	}
	return err
}

// await waits until the container is up, and returns the PID of its PID 1: up is
// READY=1 of a system, and the running child of a firn-init.
func await(supervisor int, p payload, ready <-chan struct{}, ended <-chan error) (int, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case err := <-ended:
			return 0, fmt.Errorf("ended before it was up: %v", err)
		default:
		}
		if p.boot {
			select {
			case <-ready:
				return leaderBelow(supervisor), nil
			case <-time.After(time.Millisecond):
			}
			continue
		}
		if leader := leaderBelow(supervisor); leader != 0 && len(children(leader)) > 0 {
			return leader, nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	return 0, fmt.Errorf("not up after %v", patience)
}

func within(ended <-chan error, output *bytes.Buffer) error {
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%w: %s", err, output.String())
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("no end after %v", patience)
	}
}

// leaderBelow finds the descendant that is PID 1 of a namespace, or 0.
func leaderBelow(pid int) int {
	for _, child := range children(pid) {
		if field := statusField(child, "NSpid:"); len(field) > 1 && field[len(field)-1] == "1" {
			return child
		}
		if leader := leaderBelow(child); leader != 0 {
			return leader
		}
	}
	return 0
}

func children(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var all []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

func statusField(pid int, key string) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			return strings.Fields(value)
		}
	}
	return nil
}

// memory is a line of a process's smaps_rollup, in kB.
func memory(pid int, key string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key); ok {
			kilobytes, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kilobytes
		}
	}
	return 0
}

// listen opens a socket for sd_notify(3); ready gets something at each READY=1.
func listen() (*net.UnixConn, <-chan struct{}, error) {
	dir, err := os.MkdirTemp("", "notify-")
	if err != nil {
		return nil, nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		return nil, nil, err
	}
	ready := make(chan struct{}, 16)
	go func() {
		defer func() { _ = os.RemoveAll(dir) }()
		buffer := make([]byte, 1<<16)
		for {
			size, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if strings.Contains("\n"+string(buffer[:size])+"\n", "\nREADY=1\n") {
				ready <- struct{}{}
			}
		}
	}()
	return conn, ready, nil
}

func milliseconds(begin time.Time) float64 {
	return float64(time.Since(begin)) / float64(time.Millisecond)
}
