package config

// MountKind is the sort of a Mount.
type MountKind string

const (
	MountBind         MountKind = "bind"
	MountTmpfs        MountKind = "tmpfs"
	MountOverlay      MountKind = "overlay"
	MountInaccessible MountKind = "inaccessible"
)

// Mount is one mount that the user asked for on top of the container's own.
type Mount struct {
	Kind     MountKind
	Sources  []Source  `json:",omitempty"` // bind: one; overlay: lowest directory first, the writable one last
	Target   string    // absolute and clean, in the container
	ReadOnly bool      `json:",omitempty"` // --bind-ro, --overlay-ro
	Flat     bool      `json:",omitempty"` // bind without submounts (norbind); the default is recursive
	IDMap    IDMapMode `json:",omitempty"` // bind; empty is noidmap
	Options  string    `json:",omitempty"` // tmpfs: mount options as given; empty means mode=0755
	From     Origin
}

// SourceBase says what a Source's path starts from.
type SourceBase string

const (
	FromHost SourceBase = "host" // an absolute path of the host
	FromRoot SourceBase = "root" // "+PATH": an absolute path in the container's root
	FromTemp SourceBase = "temp" // empty: a temporary directory, removed when the container ends
)

// Source is one directory tree or file that a mount takes.
type Source struct {
	Base SourceBase
	Path string `json:",omitempty"` // absolute and clean; empty for FromTemp
}

// IDMapMode is how a bind mount maps user and group ids.
type IDMapMode string

const (
	IDMapNone  IDMapMode = ""           // noidmap, the default
	IDMapFull  IDMapMode = "idmap"      // container id z is z on disk
	IDMapRoot  IDMapMode = "rootidmap"  // root in the container is the owner of the source
	IDMapOwner IDMapMode = "owneridmap" // the owner of the target is the owner of the source
)
