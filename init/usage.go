package main

const usage = `firn-init: PID 1 of a container

  firn-init [OPTIONS] [--] CMD [ARGS...]           run one command
  firn-init --boot [OPTIONS] [-- CMD [ARGS...]]    boot a system (also when called as "init")
  firn-init verify [--root DIR] [UNIT...]          tell what of a system's units is supported

Command mode runs CMD, forwards signals to it, reaps all orphans and exits with CMD's code, or 128 and the
number of the signal that killed it. CMD that is not found gives 127, one that cannot be executed 126.

Boot mode mounts what is missing, sets the host name and machine id, loads modules, makes device nodes,
activates the system, and runs CMD, or else the system's own units up to default.target, or, where there are
none, a shell on /dev/console if that is a terminal. It says when it is ready. It needs to be PID 1. Called as DIR/init, it activates DIR if that is a NixOS system.

Options:
      --boot             boot mode
      --system PATH      boot mode: the NixOS system to activate
      --grace DURATION   from SIGTERM to SIGKILL when stopping, such as 10s (the default); at most 90s
      --log-level LEVEL  error, warning, info (the default) or debug
  -h, --help             show this text
      --version          show the version

Signals: SIGRTMIN+3 halts, +4 powers off, +5 reboots; +13, +14, +15 do so at once. In boot mode all others mean
what systemd(1) says; SIGTERM does not halt. In command mode all others go to CMD.
`
