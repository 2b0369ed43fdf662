// Package container starts, supervises and removes containers: the only
// package that makes namespaces, and with reexec.go and lower the only one that
// knows libcontainer.
//
// Role: the fourth stage of the data flow. Input: a validated config.Config;
// output: an exit code when the container has ended, and a directory below
// /run/firn (package rundir) while it lives.
//
// A start runs in two places. The supervisor's ordinary goroutines hold the
// claim, the sockets and the console. One goroutine, locked to a thread of its
// own, enters the stage (package stage), prepares the root there, and has
// libcontainer clone PID 1 from it; then the thread ends:
//
//	supervisor  claim -> sockets, /run/host -> [launch] -> supervise -> destroy
//	launch      stage -> root -> facts -> Spec -> lower -> create -> exec
//
// What is left on the host by a supervisor that was killed is found through
// the record and the cgroup layout, and removed by Sweep.
package container
