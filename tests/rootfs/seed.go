package rootfs

import (
	"fmt"
	"os"
	"strings"
)

// SeedExecStart is the command line with which NixOS's containers began (2013),
// for the given directory of the program.
func SeedExecStart(bin, name, root, path string) string {
	return fmt.Sprintf("%s/systemd-nspawn -M %s -D %s --bind-ro=/nix %s/init", bin, name, root, path)
}

// seedPreStop is the script that stopped them; ${name} is Nix's.
const seedPreStop = `pid="$(cat /sys/fs/cgroup/systemd/machine/${name}.nspawn/system/tasks 2> /dev/null)"
if [ -n "$pid" ]; then
# Send the RTMIN+3 signal, which causes the container
# systemd to start halt.target.
echo "killing container systemd, PID = $pid"
kill -RTMIN+3 $pid
# Wait for the container to exit. We can't let systemd
# do this because it will send a signal to the entire
# cgroup.
for ((n = 0; n < 180; n++)); do
if ! kill -0 $pid 2> /dev/null; then break; fi
sleep 1
done
fi
`

// SeedPreStop is the script for a container, for bash. On a host without cgroup
// v1 there is no file of that name: changed says that the script reads, under
// the same directories, cgroup.procs of v2 instead.
func SeedPreStop(name string) (script string, changed bool) {
	script = strings.ReplaceAll(seedPreStop, "${name}", name)
	if _, err := os.Stat("/sys/fs/cgroup/systemd"); err == nil {
		return script, false
	}
	return strings.NewReplacer("/sys/fs/cgroup/systemd/", "/sys/fs/cgroup/", "/tasks", "/cgroup.procs").Replace(script), true
}
