package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"firn/cgroups"
	"firn/shim/internal/container"
	"firn/shim/internal/rundir"
)

// View is what list and status show of one container; JSON's field names are
// part of the interface.
type View struct {
	Name       string         `json:"name"`
	State      string         `json:"state"` // starting, running, ready, stopping
	Leader     int            `json:"leader"`
	Supervisor int            `json:"supervisor,omitempty"` // 0: it was killed, the container lives on
	Since      time.Time      `json:"since"`
	Root       string         `json:"root"`
	Cgroup     string         `json:"cgroup"`
	UUID       string         `json:"uuid"`
	Status     string         `json:"status,omitempty"`
	Command    string         `json:"command,omitempty"`
	Log        string         `json:"log,omitempty"`
	Stats      *cgroups.Stats `json:"stats,omitempty"`
}

func newList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		GroupID: "look",
		Short:   "list running containers",
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			h, err := openHost()
			if err != nil {
				return fmt.Errorf("cannot list: %w", err)
			}
			views, err := h.views()
			if err != nil {
				return fmt.Errorf("cannot list: %w", err)
			}
			if asJSON {
				return writeJSON(os.Stdout, views)
			}
			return writeTable(os.Stdout, views)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// views shows all containers, by name.
func (h *host) views() ([]View, error) {
	names, err := h.runtime.Names()
	if err != nil {
		return nil, err
	}
	views := []View{}
	for _, name := range names {
		if rec, err := h.runtime.Dir(name).Read(); err == nil {
			views = append(views, h.view(rec))
		}
	}
	return views, nil
}

func (h *host) view(rec *rundir.Record) View {
	layout := cgroups.Layout{Parent: rec.CgroupBase, Name: rec.Name}
	v := View{
		Name: rec.Name, State: string(rec.Phase), Leader: rec.Leader.PID, Since: rec.Started,
		Root: rec.Root, Cgroup: layout.Container(), UUID: rec.UUID, Status: rec.Status,
		Command: rec.Command, Log: rec.Log,
	}
	if rec.Phase == rundir.Running && rec.Ready {
		v.State = "ready"
	}
	if rec.Supervisor.Alive() {
		v.Supervisor = rec.Supervisor.PID
	}
	if stats, err := h.cgroups.Stats(layout.Container()); err == nil {
		v.Stats = &stats
	}
	return v
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func writeTable(w io.Writer, views []View) error {
	if len(views) == 0 {
		_, err := fmt.Fprintln(w, "No containers.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSTATE\tPID\tUP\tMEMORY\tTASKS\tROOT")
	for _, v := range views {
		memory, tasks := "-", "-"
		if v.Stats != nil {
			memory, tasks = size(v.Stats.Memory.Current), count(v.Stats.PIDs.Current)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n",
			v.Name, v.State, v.Leader, round(time.Since(v.Since)), memory, tasks, v.Root)
	}
	return t.Flush()
}

// size prints bytes for people; nil is what the host cannot tell.
func size(n *uint64) string {
	if n == nil {
		return "-"
	}
	value, unit := float64(*n), 0
	for value >= 1024 && unit < len("BKMGT")-1 {
		value, unit = value/1024, unit+1
	}
	if unit == 0 {
		return strconv.FormatUint(*n, 10) + "B"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + string("BKMGT"[unit])
}

func count(n *uint64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatUint(*n, 10)
}

func newStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "status NAME...",
		GroupID:           "look",
		Short:             "show containers in detail",
		Long:              "Shows containers in detail. Exit status 3 if one does not run.",
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			h, err := openHost()
			if err != nil {
				return fmt.Errorf("cannot show: %w", err)
			}
			return each(names, func(name string) error {
				rec, err := h.runtime.Dir(name).Read()
				if err != nil {
					return &exitError{exitNotRunning, fmt.Errorf("cannot show: container %q is %w", name, container.ErrNotRunning)}
				}
				if asJSON {
					return writeJSON(os.Stdout, h.view(rec))
				}
				return writeStatus(os.Stdout, h.view(rec))
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeStatus(w io.Writer, v View) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "  %s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(t, "%s - %s\n", v.Name, v.State)
	row("Since", "%s (%s ago)", v.Since.Local().Format(time.DateTime), round(time.Since(v.Since)))
	row("PID 1", "%d", v.Leader)
	if v.Supervisor != 0 {
		row("Supervisor", "%d", v.Supervisor)
	} else {
		row("Supervisor", "gone; the container lives on without it")
	}
	if v.Status != "" {
		row("Status", "%s", v.Status)
	}
	row("Root", "%s", v.Root)
	row("Machine ID", "%s", v.UUID)
	row("Cgroup", "%s", v.Cgroup)
	if s := v.Stats; s != nil {
		row("Memory", "%s (peak %s, limit %s)", size(s.Memory.Current), size(s.Memory.Peak), size(s.Memory.Limit))
		row("Tasks", "%s (limit %s)", count(s.PIDs.Current), count(s.PIDs.Limit))
		if s.CPU.Usage != nil {
			row("CPU", "%s", round(*s.CPU.Usage))
		}
		row("I/O", "%s read, %s written", size(s.IO.Read), size(s.IO.Written))
	}
	return t.Flush()
}
