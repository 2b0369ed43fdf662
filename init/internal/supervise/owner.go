package supervise

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// lookupOwner finds a user's and a group's number in the root's own databases; -1 for one that is not given.
func lookupOwner(root, user, group string) (uid, gid int, err error) {
	uid, gid = -1, -1
	if user != "" {
		if uid, gid, err = entry(root+"/etc/passwd", user, 7); err != nil {
			return -1, -1, err
		}
	}
	if group != "" {
		gid, _, err = entry(root+"/etc/group", group, 4)
	}
	return uid, gid, err
}

// entry gives the third and fourth field of a line of passwd(5) or group(5), by its first.
func entry(file, name string, fields int) (id, second int, err error) {
	if id, err := strconv.Atoi(name); err == nil {
		return id, -1, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return -1, -1, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != fields || f[0] != name {
			continue
		}
		if id, err = strconv.Atoi(f[2]); err != nil {
			return -1, -1, fmt.Errorf("%s: %s: %w", file, name, err)
		}
		second, _ = strconv.Atoi(f[3]) // a list in group(5), which nobody asks for
		return id, second, nil
	}
	return -1, -1, fmt.Errorf("%s: no entry of that name in %s", name, file)
}
