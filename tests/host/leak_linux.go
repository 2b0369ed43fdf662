package host

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A Snapshot is what a host holds: for each kind, such as "mount" or "cgroup",
// the things of that kind.
type Snapshot map[string][]string

// settle is how long a process that was killed, or a mount that its end frees,
// may take to vanish before it counts as left behind.
const settle = time.Second

// shared are the directories that firn may leave: all containers share them, and
// removing them when the last container goes would race with the next. /run/mount
// is where mount(8) and umount(8) keep notes.
var shared = []string{"machine", "/run/firn", "/run/lock", "/run/mount"}

// Watch fails the test if, when it is over and has cleaned up, the private host
// holds anything that it did not hold now, or lacks what it held. It comes first
// in a test; tests that watch do not run in parallel.
func Watch(t testing.TB) {
	t.Helper()
	need(t)
	before, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var difference []string
		for deadline := time.Now().Add(settle); ; time.Sleep(20 * time.Millisecond) {
			after, err := Take()
			if err != nil {
				t.Error(err)
				return
			}
			if difference = before.Difference(after); len(difference) == 0 || time.Now().After(deadline) {
				break
			}
		}
		if len(difference) > 0 {
			const most = 20
			more := ""
			if len(difference) > most {
				more = fmt.Sprintf("\n\tand %d more", len(difference)-most)
			}
			t.Errorf("left behind on the host:\n\t%s%s", strings.Join(difference[:min(most, len(difference))], "\n\t"), more)
		}
	})
}

// Difference lists what after has and s has not, then what it lacks.
func (s Snapshot) Difference(after Snapshot) []string {
	var lines []string
	kinds := []string{}
	for kind := range after {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		for _, item := range missing(s[kind], after[kind]) {
			lines = append(lines, "new "+kind+": "+item)
		}
	}
	for _, kind := range kinds {
		for _, item := range missing(after[kind], s[kind]) {
			lines = append(lines, "gone "+kind+": "+item)
		}
	}
	return lines
}

// missing returns the items that there are more of in b than in a.
func missing(a, b []string) []string {
	count := map[string]int{}
	for _, item := range a {
		count[item]++
	}
	var more []string
	for _, item := range b {
		if count[item]--; count[item] < 0 {
			more = append(more, item)
		}
	}
	return more
}

// Take looks at the private host.
func Take() (Snapshot, error) {
	snapshot := Snapshot{}
	var problem error
	for kind, look := range map[string]func() ([]string, error){
		"mount":   mounts,
		"cgroup":  cgroups,
		"process": processes,
		"link":    links,
		"socket":  abstractSockets,
		"file":    files,
	} {
		items, err := look()
		snapshot[kind], problem = items, errors.Join(problem, err)
	}
	return snapshot, problem
}

// mounts describes each mount by what is mounted where, not by its number.
func mounts() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var items []string
	for line := range strings.Lines(string(text)) {
		mount, super, ok := strings.Cut(strings.TrimSpace(line), " - ")
		fields := strings.Fields(mount)
		if !ok || len(fields) < 6 {
			return nil, fmt.Errorf("read mountinfo: odd line %q", line)
		}
		fstype, _, _ := strings.Cut(super, " ")
		items = append(items, fmt.Sprintf("%s of %s on %s (%s)", fields[3], fstype, fields[4], fields[5]))
	}
	return items, nil
}

// cgroups lists every cgroup of every hierarchy by its directory.
func cgroups() ([]string, error) {
	var items []string
	err := eachCgroup(func(dir, relative string) error {
		if !slices.Contains(shared, relative) {
			items = append(items, dir)
		}
		return nil
	})
	return items, err
}

// processes lists what runs in the host's cgroups, besides this process, by
// number and name.
func processes() ([]string, error) {
	found := map[int]bool{}
	err := eachCgroup(func(dir, _ string) error {
		pids, err := processesOf(dir)
		for _, pid := range pids {
			found[pid] = true
		}
		return err
	})
	var items []string
	for pid := range found {
		comm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
		if pid == os.Getpid() || err != nil {
			continue // ended meanwhile
		}
		items = append(items, fmt.Sprintf("%d %s", pid, strings.TrimSpace(string(comm))))
	}
	slices.Sort(items)
	return items, err
}

// eachCgroup walks the cgroup tree of the host; one that vanishes meanwhile is
// passed over.
func eachCgroup(visit func(dir, relative string) error) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		err := filepath.WalkDir(h.mountPoint, func(dir string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				relative, _ := filepath.Rel(h.mountPoint, dir)
				err = visit(dir, relative)
			}
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func links() ([]string, error) {
	interfaces, err := net.Interfaces()
	var items []string
	for _, i := range interfaces {
		items = append(items, i.Name)
	}
	return items, err
}

// abstractSockets lists the sockets that have a name but no file.
func abstractSockets() ([]string, error) {
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil, err
	}
	var items []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 8 && strings.HasPrefix(fields[7], "@") {
			items = append(items, fields[7])
		}
	}
	return items, nil
}

// files lists all that stands in /run and in the directories for temporary files,
// and all that was written to /etc and /var.
func files() ([]string, error) {
	var items []string
	for _, top := range []string{"/run", "/var/tmp", os.TempDir(), layers + "/etc", layers + "/var"} {
		err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && name != top && !slices.Contains(shared, name) && !copied(top, name, entry) {
				items = append(items, strings.TrimPrefix(name, layers)+" ("+entry.Type().String()+")")
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// copied reports whether a directory in a layer stands in the layer below too:
// overlayfs copied it up for something in it that may be gone again.
func copied(top, name string, entry fs.DirEntry) bool {
	if !entry.IsDir() || !strings.HasPrefix(top, layers) {
		return false
	}
	info, err := os.Stat(top + ".lower" + strings.TrimPrefix(name, top))
	return err == nil && info.IsDir()
}
