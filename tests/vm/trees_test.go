//go:build vm

package vm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// firnKmod puts the program under all its names into a machine.
func firnKmod(t *testing.T) []File { return loaders[1].files(t) }

// Coldplug loads what the devices of a q35 machine ask for, those included that
// appear only once the driver of the bus above is there.
func TestColdplug(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := Start(t, Machine{
			Kernel:  label,
			Modules: []string{"virtio_pci", "virtio_rng", "virtio_balloon", "virtio_scsi", "virtio_console", "ahci", "dummy", "loop"},
			Files:   firnKmod(t),
			Devices: []string{
				"-device", "virtio-rng-pci", "-device", "virtio-balloon-pci",
				"-device", "virtio-scsi-pci", "-device", "virtio-serial-pci",
			},
		})
		before := g.Modules()
		if out := g.Run("firn-kmod", "coldplug", "-n"); out.Status != 0 || !strings.Contains(out.Stdout, "ahci") {
			t.Errorf("coldplug -n: %v", out)
		}
		if diff := cmp.Diff(before, g.Modules()); diff != "" {
			t.Errorf("coldplug -n has changed something: %s", diff)
		}
		if out := g.Run("firn-kmod", "coldplug"); out.Status != 0 || out.Stderr != "" {
			t.Errorf("coldplug: %v", out)
		}
		loaded(t, g, "!dummy !loop")
		deps, err := readDependencies(openKernel(t, label).moduleDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ahci", "virtio_pci", "virtio_rng", "virtio_balloon", "virtio_scsi", "virtio_console"} {
			if !deps.built[name] {
				loaded(t, g, name)
			}
		}
		if out := g.Run("firn-kmod", "coldplug"); out.Status != 0 {
			t.Errorf("coldplug once more: %v", out)
		}
	})
}

// Two trees at once: a module of the second that needs modules of the first.
func TestTwoTrees(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		extra := t.TempDir()
		k := openKernel(t, label)
		deps, err := readDependencies(k.moduleDir())
		if err != nil {
			t.Fatal(err)
		}
		// The second tree has snd_seq alone, the first all that it needs.
		own := deps.paths["snd_seq"]
		if err := k.packTree(t, extra, []string{own}); err != nil {
			t.Fatal(err)
		}
		needs := deps.needs[own]
		if len(needs) < 2 {
			t.Fatalf("snd_seq needs only %v", needs)
		}
		g := Start(t, Machine{
			Kernel:  label,
			Modules: namesOf(needs),
			Files:   append(firnKmod(t), File{Path: "/extra", Source: extra}),
		})
		if out := g.Run("modprobe", "snd_seq"); out.Status != 1 {
			t.Errorf("the first tree alone: %v", out)
		}
		out := g.Run("modprobe", "-d", "/", "-d", "/extra", "--show-depends", "snd_seq")
		lines := strings.Split(strings.TrimSpace(out.Stdout), "\n")
		if out.Status != 0 || len(lines) != len(needs)+1 || !strings.Contains(lines[len(lines)-1], "/extra/lib/modules/") {
			t.Errorf("--show-depends over both: %v", out)
		}
		call{argv: "modprobe -d / -d /extra snd_seq"}.check(t, g)
		loaded(t, g, "snd_seq "+strings.Join(namesOf(needs), " "))
	})
}

func namesOf(files []string) []string {
	var names []string
	for _, file := range files {
		names = append(names, moduleName(file))
	}
	return names
}

// What closure copies is a tree that a machine boots with: every module with its
// dependencies, and indexes that the loader reads.
func TestClosureBoots(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		program := Binary(t, "firn-kmod", "").Source
		k := openKernel(t, label)
		into := t.TempDir()
		runHost(t, program, "closure", "-d", k.dir, "-S", k.version, "--copy-to", into, "btrfs", "snd_seq")
		if _, err := os.Stat(filepath.Join(into, "lib/modules", k.version, "modules.dep.bin")); err != nil {
			t.Fatal(err)
		}
		g := Start(t, Machine{Kernel: label, Files: append(firnKmod(t), File{Path: "/initrd", Source: into})})
		call{argv: "modprobe -a -d /initrd snd_seq btrfs"}.check(t, g)
		loaded(t, g, "btrfs snd_seq")
		if !slices.Contains(strings.Fields(g.Read("/proc/filesystems")), "btrfs") {
			t.Error("the kernel knows no btrfs")
		}
	})
}
