// Package machine is the life of one service as a state machine: what to start, to signal and to wait for, by
// systemd.service(5) and systemd.kill(5). Its input are events, its output calls of Actions; it has no process, clock
// or file of its own. init/internal/supervise feeds it.
//
//	sub-state      | does on entry                       | left by
//	---------------+-------------------------------------+--------------------------------------------------------
//	dead           |                                     | Start: condition
//	condition      | ExecCondition=, one by one          | 0: next, start-pre; 1 to 254: stop-sigterm, skipped;
//	               |                                     | else stop-sigterm
//	start-pre      | ExecStartPre=, one by one           | done: start; failure: stop-sigterm
//	start          | ExecStart=                          | simple, idle: at once; exec, dbus: execve; forking: the first
//	               |                                     | process ends and a main one is known; oneshot: the last one
//	               |                                     | ends; notify: READY=1. Then start-post; failure: stop-sigterm
//	start-post     | ExecStartPost=, one by one          | done: running; failure: stop-sigterm
//	running        | RuntimeMaxSec= counts               | end of the main process: exited or stop; Reload: reload;
//	               |                                     | Stop: stop; watchdog: stop-watchdog
//	exited         |                                     | Stop: stop
//	reload         | ExecReload=, or a signal            | done, READY=1, or time is up: running
//	stop           | ExecStop=, one by one               | done, failure, or time is up: stop-sigterm
//	stop-watchdog  | WatchdogSignal=                     | no process: stop-post; time is up: stop-sigkill
//	stop-sigterm   | KillSignal=, SIGCONT, SIGHUP        | no process: stop-post; time is up: stop-sigkill
//	stop-sigkill   | FinalKillSignal=                    | no process, or time is up: stop-post
//	stop-post      | ExecStopPost=, one by one           | done, failure, or time is up: final-sigterm
//	final-sigterm  | KillSignal= to what is left         | no process: dead; time is up: final-sigkill
//	final-sigkill  | FinalKillSignal= to what is left    | no process, or time is up: dead, or failed
//	failed         |                                     | Start: condition
//	auto-restart   | RestartSec= counts                  | time is up: a restart is asked for; Stop: dead
//
// "No process" counts the main and the control process in stop-*, and the whole control group in final-*. Where a
// signal finds nothing to end, the next state is entered at once. Time is up by TimeoutStartSec= up to start-post and
// in reload, by TimeoutStopSec= from stop on.
package machine
