// Package cgroups knows where a container stands in the host's cgroup tree,
// on cgroup v1, on v2 and on hosts that carry both.
//
// Role: the layout (machine/NAME.nspawn/system) and all that is done by it:
// finding PID 1, listing, measuring, killing and removing. It does not make
// the container's cgroups and sets no limits: libcontainer does, at
// [Layout.Payload].
//
// Input: /proc/self/mountinfo ([ParseHost], pure; [Discover], reads it),
// /proc/PID/cgroup ([ParseProcCgroup], pure) and the cgroup file systems.
//
// Output: paths, PIDs, [Stats], and in a container a [Child] cgroup that its
// PID 1 starts processes in.
//
// Stage: after the shim's lower and container stages on the host, and below
// firn-init's unit stage inside.
//
// # Paths
//
// A cgroup path in this package begins with "/" and names a cgroup as it is
// seen below a hierarchy's mount point. That is also how libcontainer reads
// an absolute cgroup path. It differs from the path in /proc/PID/cgroup when
// only a part of a hierarchy is mounted (mountinfo's root is not "/"):
// [Host.Own] translates.
package cgroups
