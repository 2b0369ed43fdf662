package kmod

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A State is where the kernel stands with a module.
type State uint8

const (
	// Absent: not in the kernel.
	Absent State = iota
	// Live: loaded and initialized.
	Live
	// Coming: its init function is running.
	Coming
	// Going: being removed.
	Going
	// BuiltinState: part of the kernel image.
	BuiltinState
)

// State reads what the kernel says of a module: /sys/module/NAME/initstate. A
// directory without that file is a module that the kernel still sets up (or one
// that another kernel than the tree's has built in).
func (c *Context) State(name string) State {
	builtin, err := c.Builtin(name)
	if err == nil && builtin {
		return BuiltinState
	}
	dir := "/sys/module/" + name
	text, err := readIn(c.opts.Root, dir+"/initstate")
	switch {
	case err == nil:
		return parseState(string(text))
	case !errors.Is(err, fs.ErrNotExist):
		return Absent
	}
	if fd, err := openIn(c.opts.Root, dir); err == nil {
		closeFd(fd)
		return Coming
	}
	return Absent
}

func (s State) String() string {
	return [...]string{"absent", "live", "coming", "going", "builtin"}[s]
}

func parseState(text string) State {
	switch strings.TrimSpace(text) {
	case "live":
		return Live
	case "coming":
		return Coming
	case "going":
		return Going
	}
	return Absent
}

// A Loaded is one line of /proc/modules:
//
//	NAME SIZE REFCOUNT HOLDER,HOLDER,|- STATE ADDRESS [(TAINT)]
//
// A REFCOUNT of '-' means that the kernel cannot unload modules.
type Loaded struct {
	Name    string
	Size    int64
	Refs    int // -1: unknown
	Holders []string
	State   State
}

// ParseProcModules reads /proc/modules, newest module first as the kernel has it.
func ParseProcModules(data []byte) []Loaded {
	var list []Loaded
	_ = eachLine(data, func(_ int, line string) error {
		f := strings.Fields(line)
		if len(f) < 3 {
			return nil
		}
		m := Loaded{Name: f[0], Refs: -1, State: Live}
		m.Size, _ = strconv.ParseInt(f[1], 10, 64)
		if n, err := strconv.Atoi(f[2]); err == nil {
			m.Refs = n
		}
		if len(f) > 3 && f[3] != "-" {
			for _, holder := range strings.Split(f[3], ",") {
				// "[permanent]" stands for a module without an exit function.
				if holder != "" && holder[0] != '[' {
					m.Holders = append(m.Holders, holder)
				}
			}
		}
		if len(f) > 4 {
			switch f[4] {
			case "Loading":
				m.State = Coming
			case "Unloading":
				m.State = Going
			}
		}
		list = append(list, m)
		return nil
	})
	return list
}

// Loaded returns what /proc/modules lists, with size and holders as /sys/module has
// them: in its order, which is what lsmod shows.
func (c *Context) Loaded() ([]Loaded, error) {
	data, err := readIn(c.opts.Root, "/proc/modules")
	if err != nil {
		return nil, err
	}
	modules := ParseProcModules(data)
	for i := range modules {
		m := &modules[i]
		dir := "/sys/module/" + m.Name
		if text, err := readIn(c.opts.Root, dir+"/coresize"); err == nil {
			if size, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				m.Size = size
			}
		}
		if names, err := listIn(c.opts.Root, dir+"/holders"); err == nil {
			m.Holders = names
		}
	}
	return modules, nil
}

// Refcount returns how often a loaded module is in use, -1 if it is not loaded or
// the kernel does not say.
func (c *Context) Refcount(name string) int {
	text, err := readIn(c.opts.Root, "/sys/module/"+name+"/refcnt")
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}

// Holders returns the loaded modules that use this one.
func (c *Context) Holders(name string) []string {
	names, err := listIn(c.opts.Root, "/sys/module/"+name+"/holders")
	if err != nil {
		return nil
	}
	return names
}

// CanLoad says whether this process has CAP_SYS_MODULE in its effective set.
// That is necessary, not enough: in a user namespace the kernel still refuses.
func CanLoad() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_MODULE) != 0
}
