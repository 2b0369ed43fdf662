// Package lifecycle is the conversation around a running container: what its
// PID 1 tells (readiness, status), what the host's service manager is told, and
// how a container is asked to halt.
//
// Role: the last stage of the data flow. Input: the container's directory
// (package rundir), a pidfd of its PID 1, and the sockets in /run/host; output:
// Notes for the supervisor, messages for the host's manager, and for a stop the
// sentence of what happened. It makes no namespaces and no mounts.
package lifecycle
