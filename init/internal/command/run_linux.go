package command

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
	"firn/init/internal/log"
	"firn/init/internal/manager"
	"firn/init/internal/place"
	"firn/init/internal/program"
	"firn/init/internal/reap"
	"firn/init/internal/shim"
	"firn/init/internal/signals"
)

// run is one run of a command.
type run struct {
	Options
	log     *log.Logger
	queue   *signals.Queue
	reaper  *reap.Reaper
	shim    *shim.Link
	process *reap.Process
	action  string // what the exit message says of why it ends
	kill    <-chan time.Time
}

// Run runs the command to its end and gives the exit code. The error is one of its start, with the code for it.
func Run(ctx context.Context, o Options, queue *signals.Queue, logger *log.Logger) (int, error) {
	r := &run{Options: o, log: logger, queue: queue, reaper: reap.New(), action: "exit"}
	if !o.PID1 {
		// Orphans of the command come to us instead of to the real PID 1.
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			logger.Warn("become reaper of orphans: " + err.Error())
		}
	}
	go r.reaper.Run(queue.Child, nil)
	r.shim = shim.Connect(ctx, handoff.CommandMode, logger)
	if code, err := r.start(); err != nil {
		r.shim.Exit(handoff.ExitStatus{Code: code}, r.action)
		return code, err
	}
	r.shim.Ready()
	r.loop()
	status := r.process.Status()
	r.shim.Exit(shim.Status(status), r.action)
	return reap.ExitCode(status), nil
}

// start puts the command into a process group of its own, so that a signal to that group misses firn-init, and in
// the foreground if there is a terminal. It stays in firn-init's session: who is PID 1 of a container with a terminal
// leads that, and is told of a hangup.
func (r *run) start() (int, error) {
	path, err := program.Find(r.Argv[0], searchPath(r.Env))
	if err != nil {
		return startCode(err), err
	}
	r.process, err = r.reaper.Start(reap.Spec{
		Path: path, Args: r.Argv, Env: r.Env,
		Files: []uintptr{0, 1, 2},
		Attr:  syscall.SysProcAttr{Setpgid: true},
		Place: r.place(),
	})
	if r.process == nil {
		return startCode(err), err
	}
	if err != nil {
		r.log.Warn(err.Error())
	}
	r.foreground()
	return 0, nil
}

// place keeps PID 1 alone in its cgroup under firn, whose layout that is (see package cgroups). Elsewhere the manager may
// have plans of its own for the cgroup, and the command stays there.
func (r *run) place() place.Starter {
	if !r.PID1 || !shim.Present() {
		return nil
	}
	groups, err := place.Find()
	if err == nil {
		err = groups.MoveThreads()
	}
	var starter place.Starter
	if err == nil {
		starter, err = groups.Service("main.service")
	}
	if err != nil && !place.Absent(err) {
		r.log.Warn(err.Error())
	}
	return starter
}

// foreground gives the terminal to the command. The command might do it itself, between fork and execve, only with
// SIGTTOU blocked or ignored, which it would then inherit (tcsetpgrp(3)). If it was quicker to read than firn-init
// to give, it was stopped by SIGTTIN: SIGCONT lets it try again.
func (r *run) foreground() {
	own, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil || own != unix.Getpgrp() {
		return // no terminal, not ours, or we are in its background ourselves
	}
	if err := unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, r.process.PID); err != nil {
		r.log.Warn("give the terminal to the command: " + err.Error())
		return
	}
	_ = r.process.SignalGroup(unix.SIGCONT) // it may have ended
}

// searchPath is $PATH, or what it stands for where there is none.
func searchPath(env []string) string {
	if path := manager.Lookup(env, "PATH"); path != "" {
		return path
	}
	return manager.DefaultPath
}

// startCode is the code for an error of execve(2) or of the search in $PATH.
func startCode(err error) int {
	if errors.Is(err, program.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return ExitNotFound
	}
	return ExitNotExecutable
}

// loop runs the table at the head of this package until the command has ended.
func (r *run) loop() {
	for {
		select {
		case <-r.process.Done():
			return
		case sig := <-r.queue.End:
			row, _ := signals.EndsCommand(sig.(syscall.Signal))
			r.log.Info("ending at a signal", "signal", row.Name)
			r.end(row.Verb, row.Now)
		case verb := <-r.shim.End:
			r.log.Info("ending at the host's request")
			r.end(verb, false)
		case <-r.kill:
			r.log.Warn("command outlived its grace period: killing all", "grace", r.Grace.String())
			r.killAll()
		case sig := <-r.queue.Other:
			r.forward(sig.(syscall.Signal))
		}
	}
}

func (r *run) end(verb signals.Verb, now bool) {
	r.action = shim.Action(verb)
	if now {
		r.killAll()
		return
	}
	if r.kill != nil {
		return
	}
	r.kill = time.After(r.Grace)
	_ = r.process.SignalGroup(unix.SIGTERM)
	_ = r.process.SignalGroup(unix.SIGCONT) // a stopped process takes SIGTERM only then
}

func (r *run) killAll() {
	if r.PID1 {
		_ = unix.Kill(-1, unix.SIGKILL) // all that we can see, but ourselves
		return
	}
	_ = r.process.SignalGroup(unix.SIGKILL)
	_ = r.process.Signal(unix.SIGKILL) // it may have left its group
}

func (r *run) forward(sig syscall.Signal) {
	if !signals.Forwarded(sig) {
		return
	}
	if err := r.process.Signal(sig); err != nil && !errors.Is(err, reap.ErrEnded) {
		r.log.Warn("forward signal: " + err.Error())
	}
}
