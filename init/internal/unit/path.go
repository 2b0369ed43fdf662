package unit

// Path is the [Path] section (systemd.path(5)).
type Path struct {
	Watches              []Watch
	Unit                 Name // Unit=; "" stands for the service of the name's own stem
	MakeDirectory        bool
	DirectoryMode        uint32 // 0755 by default
	TriggerLimitInterval Span   // 2 s by default; 0: no limit
	TriggerLimitBurst    uint32 // 200 by default
}

// Watch is one path that is watched.
type Watch struct {
	Kind WatchKind
	Path string // absolute; a glob for PathExistsGlob
}

// WatchKind is the setting that a Watch comes from.
type WatchKind uint8

// Kinds of watches.
const (
	PathExists WatchKind = iota
	PathExistsGlob
	PathChanged
	PathModified
	DirectoryNotEmpty
)

func (k WatchKind) String() string {
	return [...]string{"PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"}[k]
}
