// Package console joins a user's terminal to a container's pty, as the
// --console= modes of systemd-nspawn(1) ask, and keeps the console's log.
//
// Role: [Session] carries bytes, window sizes and the escape ^]^]^]; [Log]
// keeps the output in a bounded file; [Tail] and [Follow] read it for
// "firn logs".
//
// Input: the master of the container's pty, which libcontainer sends over its
// console socket; the caller's standard input and output, whatever they are: a
// terminal, a pipe, /dev/null, nothing.
//
// Output: how the session ended. What the end means for the container is the
// supervisor's matter.
//
// Stage: beside the shim's container stage, from the start of PID 1 to its
// end. The pure parts are [relay] (what is moved when), escape and the line
// arithmetic of Tail; the rest touches descriptors.
package console
