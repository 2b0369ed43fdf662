// Package job decides what happens to units, and when: it turns a request such as "start nginx.service" into a
// transaction of jobs over the graph of units, runs them in order, and carries each unit's change of state on to those
// that depend on it. Its input are requests, states reported by whoever runs the units, and the graph; its output are
// calls of Engine.Do and Engine.Finished. It is pure: no clock, no process, no file. The stage between unit loading and
// init/internal/supervise.
//
// # States of a unit
//
//	state        | means                                      | a service's sub-states in it
//	-------------+--------------------------------------------+--------------------------------------------------------
//	inactive     | not there, or gone without a fault         | dead
//	activating   | on its way up                              | start-pre start start-post auto-restart
//	active       | there                                      | running exited
//	reloading    | there, and reading its configuration again | reload
//	deactivating | on its way down                            | stop stop-watchdog stop-sigterm stop-sigkill stop-post
//	             |                                            | final-watchdog final-sigterm final-sigkill
//	failed       | gone, with a fault                         | failed
//
// The sub-states and what moves between them are init/internal/supervise/machine's table.
//
// # A job's life
//
//	state   | event                                                   | next
//	--------+---------------------------------------------------------+----------------------------------------------
//	(none)  | a transaction is applied, the unit has no job           | waiting
//	waiting | no job that comes before it is left                     | running: Do is called
//	waiting | another transaction's job, mergeable                    | waiting, of the merged type
//	any     | another transaction's job, not mergeable                | canceled, the other one takes its place
//	running | Do says: already so                                     | done
//	running | Do says: a condition is not met                         | skipped
//	running | Do says: an assertion is not met                        | assert
//	running | Do says: later                                          | waiting, until the unit's state changes
//	running | Do says: the unit's type has no such verb               | invalid
//	running | start: active, or inactive without fault                | done
//	running | start: failed                                           | failed
//	running | start: deactivating                                     | failed unless a stop follows
//	running | stop: inactive, or failed                               | done
//	running | reload: active again                                    | done, or failed as the reload says
//	running | restart: inactive, or failed                            | waiting, of type start
//	any     | JobTimeoutSec= or JobRunningTimeoutSec= is over         | timeout
//	any     | what it requires has failed to start                    | dependency
//	any     | canceled by a user                                      | canceled
//
// # Order
//
// Which of two jobs comes first is decided by the units' After= and the jobs' types (systemd.unit(5), Before=, After=):
// starts in the order of After=, stops in reverse, and a stop before the start of the other in any case.
//
// # Transactions
//
// A transaction is built in phases, each over a queue: pull in what the job needs, find what matters to the job that
// was asked for, drop what is so already, break cycles, merge the jobs of one unit, check against the jobs that are
// there, apply. What does not matter to the job asked for may be dropped to make the rest possible, and is reported;
// what matters makes the transaction an error.
package job
