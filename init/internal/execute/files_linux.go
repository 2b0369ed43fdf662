package execute

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"firn/init/internal/unit"
)

// directoryKind is where directories of a kind are, the variable that names them, and the exit code.
type directoryKind struct {
	base, variable string
	code           int
}

var directoryKinds = [unit.DirectoryKinds]directoryKind{
	unit.RuntimeDirectory:       {"/run", "RUNTIME_DIRECTORY", exitRuntimeDir},
	unit.StateDirectory:         {"/var/lib", "STATE_DIRECTORY", exitStateDir},
	unit.CacheDirectory:         {"/var/cache", "CACHE_DIRECTORY", exitCacheDir},
	unit.LogsDirectory:          {"/var/log", "LOGS_DIRECTORY", exitLogsDir},
	unit.ConfigurationDirectory: {"/etc", "CONFIGURATION_DIRECTORY", exitConfigDir},
}

func (s *stage) directories() error {
	for kind, dirs := range s.Exec.Directories {
		row := directoryKinds[kind]
		for _, d := range dirs.Entries {
			path, err := s.directory(unit.DirectoryKind(kind), row, d, fs.FileMode(dirs.Mode))
			if err != nil {
				return &StepError{Code: row.code, Err: err}
			}
			s.dirs[kind] = append(s.dirs[kind], path)
		}
	}
	return nil
}

// directory makes one directory and gives it to the user. A dynamic user's lasting ones are below "private", which
// nobody else may enter, since the number may be another's next time (systemd.exec(5), DynamicUser=).
func (s *stage) directory(kind unit.DirectoryKind, row directoryKind, d unit.Directory, mode fs.FileMode) (string, error) {
	base := filepath.Join(s.Root, row.base)
	path := filepath.Join(base, d.Path)
	target := path
	lasting := kind == unit.StateDirectory || kind == unit.CacheDirectory || kind == unit.LogsDirectory
	if s.UID != 0 && lasting {
		if err := makeDirs(filepath.Join(base, "private"), 0o700); err != nil {
			return "", err
		}
		target = filepath.Join(base, "private", d.Path)
	}
	if err := makeDirs(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	if target != path {
		if err := s.linkPrivate(path, target); err != nil {
			return "", err
		}
	}
	if err := makeDirs(target, mode); err != nil {
		return "", err
	}
	if err := os.Chmod(target, modeBits(mode)); err != nil {
		return "", err
	}
	for _, name := range d.Symlinks {
		err := os.Symlink(path, filepath.Join(base, name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	if kind == unit.ConfigurationDirectory || !s.setUser && s.Exec.Group == "" {
		return path, nil
	}
	if err := give(target, int(s.user.uid), int(s.user.gid)); err != nil {
		return "", &StepError{Code: exitChown, Err: err}
	}
	return path, nil
}

// linkPrivate makes the public name of a private directory a link; what was there from before moves.
func (s *stage) linkPrivate(path, target string) error {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if err := os.Rename(path, target); err != nil {
			return err
		}
	}
	if err := makeDirs(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	relative, err := filepath.Rel(filepath.Dir(path), target)
	if err != nil {
		return err
	}
	if err := os.Symlink(relative, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// modeBits turns a file's mode as chmod(2) has it into Go's.
func modeBits(mode fs.FileMode) fs.FileMode {
	bits := mode & 0o777
	for _, m := range []struct{ unix, mode fs.FileMode }{{unix.S_ISUID, fs.ModeSetuid}, {unix.S_ISGID, fs.ModeSetgid}, {unix.S_ISVTX, fs.ModeSticky}} {
		if mode&m.unix != 0 {
			bits |= m.mode
		}
	}
	return bits
}

func makeDirs(path string, mode fs.FileMode) error {
	old := unix.Umask(0)
	defer unix.Umask(old)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, mode&0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// give changes the owner of a directory, and of all in it if it had another owner.
func give(path string, uid, gid int) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if int(st.Uid) == uid && int(st.Gid) == gid {
		return nil
	}
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, uid, gid)
	})
}

// CredentialsDirectory is where a unit's credentials are.
func CredentialsDirectory(root, unit string) string {
	return filepath.Join(root, "/run/credentials", unit)
}

// maxCredential bounds one credential (systemd.exec(5), LoadCredential=).
const maxCredential = 1 << 20

// credentials puts what LoadCredential= and SetCredential= name into a directory that only the user reads.
func (s *stage) credentials() error {
	if len(s.Exec.LoadCredentials)+len(s.Exec.SetCredentials) == 0 {
		return nil
	}
	dir := CredentialsDirectory(s.Root, s.Unit)
	if err := makeDirs(dir, 0o700); err != nil {
		return err
	}
	for _, c := range s.Exec.LoadCredentials {
		data, err := s.loadCredential(c)
		if errors.Is(err, fs.ErrNotExist) {
			continue // SetCredential= may have it; a program that needs it says so itself (systemd.exec(5))
		}
		if err == nil {
			err = s.putCredential(dir, c.ID, data)
		}
		if err != nil {
			return fmt.Errorf("credential %s: %w", c.ID, err)
		}
	}
	for _, c := range s.Exec.SetCredentials {
		if _, err := os.Lstat(filepath.Join(dir, c.ID)); err == nil {
			continue
		}
		if c.Encrypted {
			s.warn("credential %s: encrypted ones are not supported", c.ID)
			continue
		}
		if err := s.putCredential(dir, c.ID, []byte(c.Data)); err != nil {
			return fmt.Errorf("credential %s: %w", c.ID, err)
		}
	}
	if err := os.Chown(dir, int(s.user.uid), int(s.user.gid)); err != nil {
		return err
	}
	return os.Chmod(dir, 0o500)
}

func (s *stage) loadCredential(c unit.Credential) ([]byte, error) {
	if c.Encrypted {
		s.warn("credential %s: encrypted ones are not supported", c.ID)
		return nil, fs.ErrNotExist
	}
	path := c.Source
	if !filepath.IsAbs(path) {
		if path == "" {
			path = c.ID
		}
		path = filepath.Join("/run/host/credentials", path)
	}
	f, err := os.Open(filepath.Join(s.Root, path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCredential+1))
	if err == nil && len(data) > maxCredential {
		err = unix.EFBIG
	}
	return data, err
}

func (s *stage) putCredential(dir, id string, data []byte) error {
	path := filepath.Join(dir, id)
	_ = os.Remove(path) // from an earlier start
	if err := os.WriteFile(path, data, 0o400); err != nil {
		return err
	}
	return os.Chown(path, int(s.user.uid), int(s.user.gid))
}

// environment puts together all that the program gets (systemd.exec(5), "Environment Variables in Spawned Processes").
func (s *stage) environment() error {
	own := []string{"SYSTEMD_EXEC_PID=" + strconv.Itoa(os.Getpid())}
	if s.setUser {
		own = append(own, "USER="+s.user.name, "LOGNAME="+s.user.name, "HOME="+s.user.home)
		if s.user.shell != "" {
			own = append(own, "SHELL="+s.user.shell)
		}
	}
	if len(s.Names) > 0 && !s.ConnectionOnly {
		own = append(own, "LISTEN_PID="+strconv.Itoa(os.Getpid()), "LISTEN_FDS="+strconv.Itoa(len(s.Names)),
			"LISTEN_FDNAMES="+strings.Join(s.Names, ":"))
	}
	if s.Watchdog != 0 {
		own = append(own, "WATCHDOG_PID="+strconv.Itoa(os.Getpid()), "WATCHDOG_USEC="+strconv.FormatUint(s.Watchdog, 10))
	}
	for kind, dirs := range s.dirs {
		if len(dirs) > 0 {
			own = append(own, directoryKinds[kind].variable+"="+strings.Join(dirs, ":"))
		}
	}
	if len(s.Exec.LoadCredentials)+len(s.Exec.SetCredentials) > 0 {
		own = append(own, "CREDENTIALS_DIRECTORY="+CredentialsDirectory(s.Root, s.Unit))
	}
	if in := s.Exec.Stdin.Kind; in == unit.StdioTTY || in == unit.StdioTTYForce || in == unit.StdioTTYFail {
		own = append(own, "TERM="+term(s.Environ))
	}
	files, err := s.environmentFiles()
	if err != nil {
		return err
	}
	s.env = unset(merge(s.Environ, own, s.Exec.Environment, files), s.Exec.UnsetEnvironment)
	return nil
}

func term(env []string) string {
	if t, ok := lookup(env, "TERM"); ok && t != "" {
		return t
	}
	return "vt220"
}

func (s *stage) environmentFiles() (env []string, err error) {
	for _, f := range s.Exec.EnvironmentFiles {
		paths, err := filepath.Glob(filepath.Join(s.Root, f.Path))
		if err == nil && len(paths) == 0 {
			err = fs.ErrNotExist
		}
		for _, path := range paths {
			var text []byte
			if text, err = os.ReadFile(path); err != nil {
				break
			}
			more, problem := parseEnvFile(string(text))
			if problem != nil {
				s.warn("EnvironmentFile=%s: %v", f.Path, problem)
			}
			env = append(env, more...)
		}
		if err != nil && !f.Optional {
			return nil, fmt.Errorf("EnvironmentFile=%s: %w", f.Path, err)
		}
	}
	return env, nil
}
