package unitload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"firn/init/internal/specifier"
	"firn/init/unitfile"
)

// Facts gathers what specifiers tell of a system: from the files of its root, and from the running kernel. What cannot
// be found stays empty, and a unit that needs it says so.
func Facts(fsys fs.FS) *specifier.Facts {
	var name unix.Utsname
	f := &specifier.Facts{Architecture: Architecture()}
	if unix.Uname(&name) == nil {
		f.Kernel, f.Hostname = unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Nodename[:])
	}
	if text, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		f.BootID = strings.ReplaceAll(strings.TrimSpace(string(text)), "-", "")
	}
	if text, err := readSmall(fsys, "etc/machine-id"); err == nil && len(strings.TrimSpace(text)) == 32 {
		f.MachineID = strings.TrimSpace(text)
	}
	if text, err := readSmall(fsys, "etc/hostname"); err == nil && strings.TrimSpace(text) != "" {
		f.Hostname = strings.TrimSpace(text)
	}
	release := OSRelease(fsys)
	f.ID, f.VersionID, f.VariantID = release["ID"], release["VERSION_ID"], release["VARIANT_ID"]
	f.BuildID, f.ImageID, f.ImageVersion = release["BUILD_ID"], release["IMAGE_ID"], release["IMAGE_VERSION"]
	if text, err := readSmall(fsys, "etc/machine-info"); err == nil {
		f.PrettyHostname = shellVariables(text)["PRETTY_HOSTNAME"]
	}
	return f
}

// OSRelease reads os-release(5).
func OSRelease(fsys fs.FS) map[string]string {
	for _, file := range []string{"etc/os-release", "usr/lib/os-release"} {
		if text, err := readSmall(fsys, file); err == nil {
			return shellVariables(text)
		}
	}
	return nil
}

// shellVariables reads assignments as a shell would, without any expansion.
func shellVariables(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if words, err := unitfile.ExtractWords(value, "", unitfile.Unquote); err == nil && len(words) == 1 {
			all[name] = words[0]
		}
	}
	return all
}

const smallFile = 64 << 10

func readSmall(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, smallFile))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read /%s: %w", name, err)
	}
	return string(text), nil
}

// Architecture is this machine's, by the names of ConditionArchitecture= (systemd.unit(5)).
func Architecture() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86-64"
	case "386":
		return "x86"
	case "loong64":
		return "loongarch64"
	case "ppc64le":
		return "ppc64-le"
	case "mipsle":
		return "mips-le"
	case "mips64le":
		return "mips64-le"
	}
	return runtime.GOARCH // arm, arm64, riscv64, s390x, ppc64, mips, mips64
}
