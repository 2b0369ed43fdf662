// Package execute starts a process as a unit says. Go cannot run code between fork and exec, so firn-init executes
// itself: PID 1 gives the second stage a Description on a descriptor, and the stage makes the environment that the
// unit's settings ask for, step by step, and becomes the unit's program. Input: a Description; output: the program, or
// a report of the step that did not work and an exit code of its own (systemd.exec(5), "Process Exit Codes"). The stage
// between init/internal/supervise and the program.
//
// # The stage's descriptors
//
//	0 1 2   what the unit gets for "journal" and "inherit": PID 1's log
//	3       the Description, in memory
//	4       reports, closed by execve(2): an end without a report means that the program runs
//	5 ...   what is passed to the program: Description.Names has one for each
//
// # Reports
//
//	report  = { "w" text LF } [ "e" code " " step " " text LF ]
//
// # Steps
//
// They run in the order of the table in steps_linux.go, which is systemd.exec(5)'s: descriptors and terminal first, while
// all is allowed; then limits, directories and credentials; the user and its capabilities last.
package execute
