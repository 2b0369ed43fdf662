package config

// Users is the user namespace that was asked for. It is parsed and validated
// here; Validate refuses all but "no" until the program can apply it.
type Users struct {
	Private   Value[PrivateUsers] `json:",omitzero"`
	Ownership Value[string]       `json:",omitzero"` // off, chown, map, auto, foreign
	BindUser  []BindUser          `json:",omitempty"`
}

// PrivateUsersMode is the first form of --private-users='s argument.
type PrivateUsersMode string

const (
	UsersNo       PrivateUsersMode = "no"
	UsersYes      PrivateUsersMode = "yes"      // from the owner of the root directory
	UsersPick     PrivateUsersMode = "pick"     // a free range
	UsersIdentity PrivateUsersMode = "identity" // a namespace with the host's ids
	UsersManaged  PrivateUsersMode = "managed"  // a range from systemd-nsresourced
	UsersFixed    PrivateUsersMode = "fixed"    // Base and Count as given
)

// PrivateUsers is a mode, with the range where the user gave one.
type PrivateUsers struct {
	Mode  PrivateUsersMode
	Base  uint32 `json:",omitempty"` // first id on the host
	Count uint32 `json:",omitempty"` // number of ids
}

// BindUser is one user of the host to bind into the container.
type BindUser struct {
	Name string
	From Origin
}
