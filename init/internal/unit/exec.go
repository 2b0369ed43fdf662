package unit

// Exec is the environment in which a unit's processes run (systemd.exec(5)).
type Exec struct {
	User, Group         string // names or numbers; "": the manager's
	SupplementaryGroups []string
	DynamicUser         bool
	PrivateTmp          bool // a part of the sandbox that orders units
	NoNewPrivileges     bool
	IgnoreSIGPIPE       bool // on by default
	PAMName             string
	UMask               uint32 // 0022 by default

	WorkingDirectory         string // absolute in the root directory, "~", or "": the root
	WorkingDirectoryOptional bool   // "-"
	RootDirectory            string
	MountAPIVFS              Tristate
	Binds                    []Bind // BindPaths=, BindReadOnlyPaths=
	TemporaryFileSystems     []TemporaryFS

	Environment      []string // NAME=VALUE, each name once
	EnvironmentFiles []EnvironmentFile
	PassEnvironment  []string
	UnsetEnvironment []string // NAME or NAME=VALUE

	Stdin, Stdout, Stderr                  Stdio
	StdinData                              string // StandardInputText= and StandardInputData=, decoded
	TTYPath                                string // "": /dev/console
	TTYReset, TTYVHangup, TTYVTDisallocate bool
	TTYRows, TTYColumns                    uint16 // 0: not set
	SyslogIdentifier                       string
	SyslogFacility                         uint8 // of syslog(3), not shifted; 3 (daemon) by default
	SyslogLevel                            uint8 // 6 (info) by default
	SyslogLevelPrefix                      bool  // on by default
	LogLevelMax                            int8  // -1: not set
	UtmpIdentifier                         string
	UtmpMode                               UtmpMode

	Limits            []Limit
	Nice              Number
	OOMScore          Number // OOMScoreAdjust=
	CPUScheduling     CPUScheduling
	IOScheduling      IOScheduling
	CPUAffinity       []uint64 // bits; nil: not set
	TimerSlack        Span     // -1: not set
	CoredumpFilter    uint64
	CoredumpFilterSet bool

	CapabilityBoundingSet uint64 // bits by capability; all are set by default
	AmbientCapabilities   uint64
	SecureBits            uint8 // as prctl(2) takes them

	Directories              [DirectoryKinds]Directories // by DirectoryKind
	RuntimeDirectoryPreserve Preserve

	LoadCredentials   []Credential
	SetCredentials    []Credential
	ImportCredentials []string // globs
}

// Tristate is a yes-or-no setting that may be left open.
type Tristate int8

// Values of a Tristate.
const (
	Unset Tristate = iota
	No
	Yes
)

// Number is a number that may be left open.
type Number struct {
	Value int16
	Set   bool
}

// Bind is one element of BindPaths= or BindReadOnlyPaths=.
type Bind struct {
	Source, Target string
	ReadOnly       bool
	Optional       bool // "-": no source, no mount
	Recursive      bool
}

// TemporaryFS is one element of TemporaryFileSystem=.
type TemporaryFS struct{ Path, Options string }

// EnvironmentFile is one EnvironmentFile=; Path may be a glob.
type EnvironmentFile struct {
	Path     string
	Optional bool // "-"
}

// Stdio says where one of the standard descriptors leads.
type Stdio struct {
	Kind StdioKind
	Arg  string // of fd: the descriptor's name ("" for the stream's own); of file and its like: the path
}

// StdioKind is the part of StandardInput= and its like before the colon.
type StdioKind uint8

// Kinds. Stdin: null, tty, tty-force, tty-fail, data, file, socket, fd. The others: inherit and all that write.
const (
	StdioInherit StdioKind = iota // Stdout: as Stdin, or null where that is null or data; Stderr: as Stdout
	StdioNull
	StdioTTY
	StdioTTYForce
	StdioTTYFail
	StdioData
	StdioJournal // also "syslog", which is its old name
	StdioJournalConsole
	StdioKmsg
	StdioKmsgConsole
	StdioFile
	StdioAppend
	StdioTruncate
	StdioSocket
	StdioFD
)

// UtmpMode is UtmpMode=.
type UtmpMode uint8

// Utmp modes.
const (
	UtmpInit UtmpMode = iota
	UtmpLogin
	UtmpUser
)

// Limit is one Limit...=. Resource is the kernel's number (RLIMIT_...); a value of 1<<64-1 is no limit.
type Limit struct {
	Resource   uint8
	Soft, Hard uint64
}

// CPUScheduling is the CPUScheduling... group.
type CPUScheduling struct {
	Set         bool
	Policy      uint8 // SCHED_... of sched_setscheduler(2)
	Priority    uint8
	ResetOnFork bool
}

// IOScheduling is IOSchedulingClass= and IOSchedulingPriority=.
type IOScheduling struct {
	Set      bool
	Class    uint8 // IOPRIO_CLASS_... of ioprio_set(2)
	Priority uint8 // 4 by default
}

// DirectoryKind is a kind of directory that is made for a unit.
type DirectoryKind uint8

// Kinds, below /run, /var/lib, /var/cache, /var/log and /etc.
const (
	RuntimeDirectory DirectoryKind = iota
	StateDirectory
	CacheDirectory
	LogsDirectory
	ConfigurationDirectory
	DirectoryKinds
)

func (k DirectoryKind) String() string {
	return [...]string{"RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory"}[k]
}

// Directories are those of one kind.
type Directories struct {
	Entries []Directory
	Mode    uint32 // 0755 by default
}

// Directory is one of them, relative to its kind's place. Symlinks are made beside it.
type Directory struct {
	Path     string
	Symlinks []string
}

// Preserve is RuntimeDirectoryPreserve=.
type Preserve uint8

// Values of RuntimeDirectoryPreserve=.
const (
	PreserveNo Preserve = iota
	PreserveRestart
	PreserveYes
)

// Credential is one LoadCredential= (Source, a path or a name) or SetCredential= (Data).
type Credential struct {
	ID        string
	Source    string
	Data      string
	Encrypted bool
}
