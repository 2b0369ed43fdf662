package config

// Config is what was asked of one container: by the command line, by a
// settings file, or by both after Merge. It holds no pointers into parsers, and
// two equal texts give equal Configs.
//
// The fields follow the groups of systemd-nspawn(1). "Not set" means that
// nobody asked; the stage that builds the Spec chooses the default, which the
// field's comment names.
type Config struct {
	Action   Action              // what the program is to do at all
	Settings Value[SettingsMode] `json:",omitzero"` // default SettingsYes
	Quiet    Value[bool]         `json:",omitzero"`
	Machine  Value[string]       `json:",omitzero"` // -M; MachineName gives the default
	Root     Root                `json:",omitzero"`
	Exec     Exec                `json:",omitzero"`
	Identity Identity            `json:",omitzero"`
	Unit     Unit                `json:",omitzero"`
	Security Security            `json:",omitzero"`
	Limits   Limits              `json:",omitzero"`
	Host     Integration         `json:",omitzero"`
	Mounts   []Mount             `json:",omitempty"` // in the order given
	Console  Value[ConsoleMode]  `json:",omitzero"`  // default: interactive on a terminal, else read-only
	Users    Users               `json:",omitzero"`
	Network  Network             `json:",omitzero"`
	Firn     Firn                `json:",omitzero"`
	Files    []string            `json:",omitempty"` // settings files that took part, main file first
	Ignored  []Ignored           `json:",omitempty"` // privileged settings of an untrusted file
}

// Action is what the command line asks the program to do.
type Action string

const (
	ActionRun          Action = "run"          // start the container
	ActionHelp         Action = "help"         // -h, --help
	ActionVersion      Action = "version"      // --version
	ActionCleanup      Action = "cleanup"      // --cleanup: remove what an earlier run left
	ActionCapabilities Action = "capabilities" // --capability=help: print the known names
)

// SettingsMode says how settings files and command line go together
// (systemd-nspawn(1), --settings=).
type SettingsMode string

const (
	SettingsYes      SettingsMode = "yes"      // read; the command line wins
	SettingsNo       SettingsMode = "no"       // not read
	SettingsOverride SettingsMode = "override" // read; the file wins
	SettingsTrusted  SettingsMode = "trusted"  // read; every file is trusted; the command line wins
)

// Ignored is a privileged setting that an untrusted settings file holds
// (systemd.nspawn(5), ".nspawn File Discovery"). The program reports it as a
// warning and goes on, as the manual says.
type Ignored struct {
	From   Origin
	Reason string
}

// Root is the container's root file system.
type Root struct {
	Directory Value[string]       `json:",omitzero"` // -D; absolute and clean
	Template  Value[string]       `json:",omitzero"` // --template; absolute and clean
	Ephemeral Value[bool]         `json:",omitzero"`
	ReadOnly  Value[bool]         `json:",omitzero"`
	Volatile  Value[VolatileMode] `json:",omitzero"` // default VolatileNo
	PivotRoot Value[PivotRoot]    `json:",omitzero"` // not supported yet: Validate refuses it
}

// VolatileMode is the argument of --volatile=.
type VolatileMode string

const (
	VolatileNo      VolatileMode = "no"
	VolatileYes     VolatileMode = "yes"     // tmpfs as root, /usr of the tree read-only in it
	VolatileState   VolatileMode = "state"   // tree read-only, tmpfs on /var
	VolatileOverlay VolatileMode = "overlay" // tree read-only below a tmpfs overlay
)

// PivotRoot is NEW[:OLD], both in the container's file system.
type PivotRoot struct{ New, Old string }

// Exec is the program to run and how.
type Exec struct {
	Boot             Value[bool]     `json:",omitzero"`  // -b
	AsPID2           Value[bool]     `json:",omitzero"`  // -a
	Parameters       Value[[]string] `json:",omitzero"`  // program and arguments; with Boot the arguments of init
	Environment      []Variable      `json:",omitempty"` // each name once, last assignment wins
	User             Value[string]   `json:",omitzero"`  // name or number in the container's database
	WorkingDirectory Value[string]   `json:",omitzero"`  // absolute, in the container
	KillSignal       Value[Signal]   `json:",omitzero"`  // default SIGRTMIN+3 with Boot, else SIGKILL
	NotifyReady      Value[bool]     `json:",omitzero"`  // default no
	SuppressSync     Value[bool]     `json:",omitzero"`  // not supported yet: Validate refuses true
}

// StartMode is how the payload is started.
type StartMode string

const (
	StartPID1 StartMode = "pid1" // the program is PID 1
	StartPID2 StartMode = "pid2" // a stub init is PID 1, the program PID 2
	StartBoot StartMode = "boot" // an init of the tree is searched for and is PID 1
)

// StartMode tells which of the three ways was asked for. A Config that passed
// Validate does not ask for two.
func (c *Config) StartMode() StartMode {
	switch {
	case c.Exec.Boot.V:
		return StartBoot
	case c.Exec.AsPID2.V:
		return StartPID2
	}
	return StartPID1
}

// Variable is one environment assignment.
type Variable struct {
	Name, Value string
	From        Origin
}

// Identity is what the container knows itself as.
type Identity struct {
	Hostname Value[string] `json:",omitzero"` // default: the machine name
	UUID     Value[string] `json:",omitzero"` // 32 lower-case hexadecimal digits, never all zero
}

// Unit is how the container stands in the host's service manager.
type Unit struct {
	Slice      Value[string] `json:",omitzero"` // NAME.slice; default machine.slice
	Properties []Property    `json:",omitempty"`
	Register   Value[bool]   `json:",omitzero"` // default yes
	KeepUnit   Value[bool]   `json:",omitzero"`
}

// Property is one unit property for the container's scope, as
// `systemctl set-property` takes it.
type Property struct {
	Name, Value string
	From        Origin
}

// Security holds capabilities and what limits privileges.
type Security struct {
	Capability       []Capability       `json:",omitempty"` // kept on top of the default set
	DropCapability   []Capability       `json:",omitempty"` // removed, whatever Capability says
	Ambient          []Capability       `json:",omitempty"`
	NoNewPrivileges  Value[bool]        `json:",omitzero"`
	SystemCallFilter []SystemCallFilter `json:",omitempty"` // not supported yet: Validate refuses it
}

// Capability is one entry of a capability list: CAP_NAME in upper case, or
// CapabilityAll.
type Capability struct {
	Name string
	From Origin
}

// CapabilityAll in a capability list stands for every capability.
const CapabilityAll = "all"

// SystemCallFilter is one assignment of a system call list.
type SystemCallFilter struct {
	Deny  bool     // the list began with "~"
	Calls []string // names and @groups
	From  Origin
}

// Limits are resource limits of the payload.
type Limits struct {
	Rlimits        map[string]Value[Rlimit] `json:",omitempty"` // by RLIMIT_NAME
	OOMScoreAdjust Value[int]               `json:",omitzero"`  // -1000 to 1000
	CPUAffinity    Value[[]int]             `json:",omitzero"`  // sorted, each CPU once, not empty
	Personality    Value[Personality]       `json:",omitzero"`
}

// Rlimit is a pair of limits in the kernel's unit for that limit: bytes,
// seconds (CPU), microseconds (RTTIME) or a count.
type Rlimit struct{ Soft, Hard uint64 }

// RlimitInfinity means no limit (RLIM_INFINITY).
const RlimitInfinity = ^uint64(0)

// Personality is what uname(2) reports as the machine, see personality(2).
type Personality string

// Integration is what the container takes over from the host.
type Integration struct {
	ResolvConf  Value[ResolvConfMode] `json:",omitzero"` // default auto
	Timezone    Value[TimezoneMode]   `json:",omitzero"` // default auto
	LinkJournal Value[LinkJournal]    `json:",omitzero"` // default auto
}

// ResolvConfMode is the argument of --resolv-conf=: off, auto, delete, or one
// of copy, replace and bind with one of host, static, uplink and stub.
type ResolvConfMode string

// TimezoneMode is the argument of --timezone=: off, copy, bind, symlink,
// delete or auto.
type TimezoneMode string

// LinkJournal is the argument of --link-journal= taken apart.
type LinkJournal struct {
	Mode LinkJournalMode
	Try  bool // try-host, try-guest: no journal on the host is no error
}

// LinkJournalMode says on which side the journal is kept.
type LinkJournalMode string

const (
	JournalNo    LinkJournalMode = "no"
	JournalAuto  LinkJournalMode = "auto"
	JournalHost  LinkJournalMode = "host"
	JournalGuest LinkJournalMode = "guest"
)

// ConsoleMode is the argument of --console=.
type ConsoleMode string

const (
	ConsoleInteractive ConsoleMode = "interactive"
	ConsoleReadOnly    ConsoleMode = "read-only"
	ConsolePassive     ConsoleMode = "passive"
	ConsolePipe        ConsoleMode = "pipe"
	ConsoleAutopipe    ConsoleMode = "autopipe" // interactive on a terminal, else pipe
)

// Firn is the [Firn] section: what systemd.nspawn(5) has no key for.
type Firn struct {
	Root       Value[string] `json:",omitzero"` // Root=: the root directory, absolute
	SystemPath Value[string] `json:",omitzero"` // SystemPath=: NixOS system or profile, absolute
	Init       Value[string] `json:",omitzero"` // Init=: auto, systemd, firn or an absolute path
	AutoStart  Value[bool]   `json:",omitzero"` // AutoStart=: start with the host
}
