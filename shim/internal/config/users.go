package config

import (
	"errors"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

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

var ownershipModes = []string{"off", "chown", "map", "foreign", "auto"}

// changesOwners tells whether an ownership mode does anything where there is no
// user namespace; systemd-nspawn(1) says that none does, but "chown" without one
// is how it undoes an earlier shift.
func changesOwners(mode string) bool { return mode == "chown" }

func setOwnership(b *build, value string, from Origin) error {
	mode, err := oneOf[string](ownershipModes...)(value)
	if err == nil {
		b.c.Users.Ownership = Of(mode, from)
	}
	return err
}

// defaultIDCount is the number of ids where BASE stands alone.
const defaultIDCount = 65536

// setPrivateUsers takes a boolean, pick, identity, managed, or BASE[:COUNT].
func setPrivateUsers(b *build, value string, from Origin) error {
	users, err := parsePrivateUsers(value)
	if err == nil {
		b.c.Users.Private = Of(users, from)
	}
	return err
}

func parsePrivateUsers(s string) (PrivateUsers, error) {
	switch m := PrivateUsersMode(s); m {
	case UsersPick, UsersIdentity, UsersManaged:
		return PrivateUsers{Mode: m}, nil
	}
	// Digits are an id even where they would do as a boolean: systemd-nspawn(1)
	// undoes a shift with --private-users=0.
	if on, err := unitfile.ParseBool(s); err == nil && strings.Trim(s, "0123456789") != "" {
		if on {
			return PrivateUsers{Mode: UsersYes}, nil
		}
		return PrivateUsers{Mode: UsersNo}, nil
	}
	baseText, countText, pair := strings.Cut(s, ":")
	base, err := strconv.ParseUint(baseText, 10, 32)
	if err != nil {
		return PrivateUsers{}, errors.New("not a boolean, pick, identity, managed, or BASE[:COUNT]")
	}
	count := uint64(defaultIDCount)
	if pair {
		if count, err = strconv.ParseUint(countText, 10, 32); err != nil || count == 0 {
			return PrivateUsers{}, errors.New("not a number of ids")
		}
	}
	if base+count > 1<<32-1 {
		return PrivateUsers{}, errors.New("range of ids beyond the last one")
	}
	return PrivateUsers{Mode: UsersFixed, Base: uint32(base), Count: uint32(count)}, nil
}

// isZero tells whether nothing was said about user namespaces.
func (u *Users) isZero() bool { return !u.Private.Set && !u.Ownership.Set && len(u.BindUser) == 0 }
