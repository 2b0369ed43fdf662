// Command firn-init is PID 1 of a container, or of a small machine. Command mode runs one command; boot mode brings up
// a system. Its input are argv, the environment of systemd's Container Interface and signals; its output is the system
// it runs, and at the end an exit code or reboot(2). The parts are below internal/, one stage each.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"firn/init/internal/activate"
	initboot "firn/init/internal/boot"
	"firn/init/internal/command"
	"firn/init/internal/log"
	"firn/init/internal/signals"
	"firn/init/internal/verify"
)

// version is set by the linker.
var version = "dev"

// The main goroutine keeps the main thread and does nothing on it but wait: in v1's cgroups, which hold threads, the
// main thread is the one line in the tasks file that a stop script takes for PID 1, and threads that the runtime makes
// start in the cgroup of another thread than this one.
func init() { runtime.LockOSThread() }

func main() {
	if verify.Asked(os.Args) { // before signals are blocked: it ends as any command does
		os.Exit(verify.Run(os.Args[2:], os.Stdout, os.Stderr))
	}
	queue := signals.Listen()
	// The first collection, which makes the collector's own threads and tables, is due at 4 MB times this percentage: a
	// boot ends before it, and what comes later is a few messages.
	debug.SetGCPercent(25)
	exit := make(chan int)
	go func() { exit <- run(os.Args, os.Getpid(), queue) }()
	os.Exit(<-exit)
}

func run(argv []string, pid int, queue *signals.Queue) int {
	logger := log.New(log.ToFD(2), log.Info)
	inv, err := parseLine(argv)
	if err != nil {
		logger.Error(err.Error())
		return exitUsage
	}
	switch inv.mode {
	case showHelp:
		return show(usage)
	case showVersion:
		return show("firn-init " + version + "\n")
	}
	logger.SetLevel(inv.level)
	if inv.mode == bootMode {
		return boot(inv, pid, queue, logger)
	}
	code, err := command.Run(context.Background(), command.Options{
		Argv: inv.argv, Env: os.Environ(), Grace: inv.grace, PID1: pid == 1,
	}, queue, logger)
	if err != nil {
		logger.Error("cannot " + err.Error())
	}
	return code
}

// Exit codes of firn-init's own.
const (
	exitFailure = 1
	exitUsage   = 2
)

func show(text string) int {
	if _, err := io.WriteString(os.Stdout, text); err != nil {
		return exitFailure
	}
	return 0
}

// errNotPID1 refuses boot mode: it would mount over, and in the end kill, the system that it was called in.
var errNotPID1 = errors.New("boot mode needs to be PID 1")

func boot(inv invocation, pid int, queue *signals.Queue, logger *log.Logger) int {
	if pid != 1 {
		logger.Error(fmt.Sprintf("cannot boot: %v, and this is process %d", errNotPID1, pid))
		return exitUsage
	}
	for _, word := range inv.ignored {
		logger.Warn("word on the command line means nothing here", "word", word)
	}
	system := inv.system
	if system == "" {
		system = activate.Find(os.Args[0])
	}
	return initboot.New(initboot.Options{
		System: system, Argv: inv.argv, Environ: os.Environ(), Grace: inv.grace,
	}, queue, logger, log.ToFD(2)).Run()
}
