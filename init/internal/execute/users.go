package execute

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// user is an entry of passwd(5).
type user struct {
	name, home, shell string
	uid, gid          uint32
}

// findUser finds a user by name or number.
func findUser(passwd, who string) (user, bool) {
	id, err := strconv.ParseUint(who, 10, 32)
	for line := range strings.Lines(passwd) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 7 {
			continue
		}
		uid, uerr := strconv.ParseUint(f[2], 10, 32)
		gid, gerr := strconv.ParseUint(f[3], 10, 32)
		if uerr != nil || gerr != nil || f[0] != who && (err != nil || uid != id) {
			continue
		}
		return user{name: f[0], home: f[5], shell: f[6], uid: uint32(uid), gid: uint32(gid)}, true
	}
	if err == nil { // a number needs no entry
		return user{name: who, home: "/", uid: uint32(id), gid: uint32(id)}, true
	}
	return user{}, false
}

// findGroup finds a group's number by name or number in the text of group(5).
func findGroup(group, which string) (uint32, error) {
	if id, err := strconv.ParseUint(which, 10, 32); err == nil {
		return uint32(id), nil
	}
	for line := range strings.Lines(group) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 4 || f[0] != which {
			continue
		}
		if id, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			return uint32(id), nil
		}
	}
	return 0, fmt.Errorf("group %s: no such group", which)
}

// groupsOf are the groups that have the user for a member.
func groupsOf(group, name string) (ids []uint32) {
	for line := range strings.Lines(group) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 4 || !slices.Contains(strings.Split(f[3], ","), name) {
			continue
		}
		if id, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			ids = append(ids, uint32(id))
		}
	}
	return ids
}

// DynamicUID chooses a number for a name of DynamicUser=, from the range that systemd keeps for it (systemd.exec(5)),
// such that the same name gets the same one unless it is taken.
func DynamicUID(name string, taken func(uint32) bool) (uint32, bool) {
	const first, count = 61184, 65519 - 61184 + 1
	sum := uint32(2166136261) // FNV-1a
	for _, c := range []byte(name) {
		sum = (sum ^ uint32(c)) * 16777619
	}
	for i := range uint32(count) {
		if uid := first + (sum+i)%count; !taken(uid) {
			return uid, true
		}
	}
	return 0, false
}
