package condition

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func (e *Env) path(p string) string { return filepath.Join(e.Root, p) }

func (e *Env) pathExists(p string) (bool, error) {
	_, err := os.Stat(e.path(p))
	return err == nil, nil
}

func (e *Env) pathExistsGlob(p string) (bool, error) {
	list, err := filepath.Glob(e.path(p))
	return len(list) > 0, err
}

func (e *Env) pathIsDirectory(p string) (bool, error) {
	info, err := os.Stat(e.path(p))
	return err == nil && info.IsDir(), nil
}

func (e *Env) pathIsSymbolicLink(p string) (bool, error) {
	info, err := os.Lstat(e.path(p))
	return err == nil && info.Mode()&os.ModeSymlink != 0, nil
}

// pathIsMountPoint looks the path up in mountinfo: device numbers do not tell bind mounts.
func (e *Env) pathIsMountPoint(p string) (bool, error) {
	real, err := filepath.EvalSymlinks(e.path(p))
	if err != nil {
		return false, nil
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 4 && unescapeMount(fields[4]) == real {
			return true, nil
		}
	}
	return false, nil
}

// unescapeMount takes back what proc_pid_mountinfo(5) escapes.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// pathIsReadWrite asks about the file system, not about permissions.
func (e *Env) pathIsReadWrite(p string) (bool, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(e.path(p), &stat); err != nil {
		return false, nil
	}
	return stat.Flags&unix.ST_RDONLY == 0, nil
}

func (e *Env) directoryNotEmpty(p string) (bool, error) {
	f, err := os.Open(e.path(p))
	if err != nil {
		return false, nil
	}
	defer f.Close()
	_, err = f.Readdirnames(1) // io.EOF where it is empty
	return err == nil, nil
}

func (e *Env) fileNotEmpty(p string) (bool, error) {
	info, err := os.Stat(e.path(p))
	return err == nil && info.Mode().IsRegular() && info.Size() > 0, nil
}

func (e *Env) fileIsExecutable(p string) (bool, error) {
	info, err := os.Stat(e.path(p))
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0, nil
}

// needsUpdate compares /usr with the stamp that the last update has left.
func (e *Env) needsUpdate(p string) (bool, error) {
	if p != "/etc" && p != "/var" {
		return false, ErrParam
	}
	if writable, _ := e.pathIsReadWrite(p); !writable {
		return false, nil
	}
	usr, err := os.Stat(e.path("/usr"))
	if err != nil {
		return false, nil
	}
	stamp, err := os.Stat(e.path(filepath.Join(p, ".updated")))
	return err != nil || usr.ModTime().After(stamp.ModTime()), nil
}

func (e *Env) firstBoot(param string) (bool, error) {
	first, err := e.pathExists("/run/systemd/first-boot")
	if err != nil {
		return false, err
	}
	return same(param, first)
}
