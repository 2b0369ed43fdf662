// Package supervise runs units: it gives each loaded unit a driver by its type (service, socket, timer, target), feeds
// the engine of init/internal/job with their states, and carries out what that decides. Input: loaded units, requests,
// ends of processes, datagrams of sd_notify(3), connections, time. Output: processes (through init/internal/execute),
// sockets, control groups. The stage between init/internal/job and the processes; boot mode holds it.
//
// One goroutine, Manager.Run, owns all state. Whatever happens elsewhere (a timer, a report of a stage, a datagram)
// comes to it as a function in a queue, by Post, and after each the engine settles.
package supervise
