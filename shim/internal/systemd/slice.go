package systemd

import "strings"

// SlicePath is the cgroup of a slice: "a-b.slice" stands below "a.slice"
// (systemd.slice(5)), and "-.slice" is the root.
func SlicePath(slice string) string {
	name := strings.TrimSuffix(slice, ".slice")
	if name == "-" {
		return "/"
	}
	var path strings.Builder
	for i := 0; i <= len(name); i++ {
		if i == len(name) || name[i] == '-' {
			path.WriteString("/" + name[:i] + ".slice")
		}
	}
	return path.String()
}
