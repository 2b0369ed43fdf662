package unit

// Command is one command line of an Exec...= setting. Argv holds specifiers expanded and quotes removed; variables
// ($NAME, ${NAME}) are expanded when it is executed, unless Flags has NoVariables.
type Command struct {
	Path  string   // absolute, or a name to look up in $PATH
	Argv  []string // Argv[0] is Path unless "@" gave another
	Flags CommandFlags
}

// CommandFlags are the prefixes of a command line (systemd.service(5), "Table 2. Special executable prefixes").
type CommandFlags uint8

// Prefixes.
const (
	IgnoreFailure   CommandFlags = 1 << iota // "-"
	NoVariables                              // ":"
	FullPrivileges                           // "+": without User=, capabilities, sandbox
	NoUserSwitch                             // "!": without User=, Group= and capabilities, the rest as set
	AmbientFallback                          // "!!": as "!" where ambient capabilities are missing in the kernel
)
