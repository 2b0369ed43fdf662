// Package condition tells whether the conditions and asserts of a unit hold (systemd.unit(5), "Conditions and Asserts").
//
// Role: asked by the manager when a unit's start job runs. Input: a unit's list and Env, what is known of the system.
// Output: yes, or the condition that does not hold. Nothing is changed.
//
// What a container cannot have (firmware, TPM, an encrypted disk, a first boot's wizard) is answered as systemd answers
// it in a container: it is not there, and the unit is skipped.
package condition

import (
	"errors"
	"fmt"

	"firn/init/internal/unit"
)

// Env is what conditions ask about.
type Env struct {
	// Root is put before each path; "" in a running system.
	Root string
	// Container is the value of $container, "" outside of one.
	Container string
	// Environ is the manager's environment.
	Environ []string
	// Hostname, MachineID, Kernel and Architecture are as in specifiers.
	Hostname, MachineID, Kernel, Architecture string
}

// ErrParam is returned for a parameter that its condition cannot have.
var ErrParam = errors.New("not a parameter of this condition")

// Check tells whether a list holds: each of its conditions that is no trigger, and one trigger at least if there are
// any. Otherwise failed is the condition to name. One that cannot be decided does not hold, and err says why.
func (e *Env) Check(list []unit.Condition) (ok bool, failed *unit.Condition, err error) {
	triggered, trigger := false, (*unit.Condition)(nil)
	var problems error
	for i := range list {
		c := &list[i]
		if c.Trigger && triggered {
			continue
		}
		holds, err := e.holds(c)
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("check %s=%s: %w", c.Kind, c.Param, err))
		}
		switch {
		case c.Trigger && holds:
			triggered = true
		case c.Trigger:
			trigger = c
		case !holds:
			return false, c, problems
		}
	}
	if trigger != nil && !triggered {
		return false, trigger, problems
	}
	return true, nil, problems
}

func (e *Env) holds(c *unit.Condition) (bool, error) {
	ok, err := tests[c.Kind](e, c.Param)
	if err != nil {
		return false, err
	}
	return ok != c.Negate, nil
}

// tests answer each kind of condition.
var tests = [unit.ConditionKinds]func(e *Env, param string) (bool, error){
	unit.CondArchitecture:           (*Env).architecture,
	unit.CondFirmware:               (*Env).firmware,
	unit.CondVirtualization:         (*Env).virtualization,
	unit.CondHost:                   (*Env).host,
	unit.CondKernelCommandLine:      (*Env).commandLine,
	unit.CondKernelVersion:          (*Env).kernelVersion,
	unit.CondCredential:             (*Env).credential,
	unit.CondEnvironment:            (*Env).environment,
	unit.CondSecurity:               (*Env).security,
	unit.CondCapability:             (*Env).capability,
	unit.CondACPower:                (*Env).acPower,
	unit.CondNeedsUpdate:            (*Env).needsUpdate,
	unit.CondFirstBoot:              (*Env).firstBoot,
	unit.CondPathExists:             (*Env).pathExists,
	unit.CondPathExistsGlob:         (*Env).pathExistsGlob,
	unit.CondPathIsDirectory:        (*Env).pathIsDirectory,
	unit.CondPathIsSymbolicLink:     (*Env).pathIsSymbolicLink,
	unit.CondPathIsMountPoint:       (*Env).pathIsMountPoint,
	unit.CondPathIsReadWrite:        (*Env).pathIsReadWrite,
	unit.CondPathIsEncrypted:        func(*Env, string) (bool, error) { return false, nil },
	unit.CondDirectoryNotEmpty:      (*Env).directoryNotEmpty,
	unit.CondFileNotEmpty:           (*Env).fileNotEmpty,
	unit.CondFileIsExecutable:       (*Env).fileIsExecutable,
	unit.CondUser:                   (*Env).user,
	unit.CondGroup:                  (*Env).group,
	unit.CondControlGroupController: (*Env).controllers,
	unit.CondMemory:                 (*Env).memory,
	unit.CondCPUs:                   (*Env).cpus,
	unit.CondCPUFeature:             (*Env).cpuFeature,
	unit.CondOSRelease:              (*Env).osRelease,
	unit.CondMemoryPressure:         func(e *Env, p string) (bool, error) { return e.pressure("memory", p) },
	unit.CondCPUPressure:            func(e *Env, p string) (bool, error) { return e.pressure("cpu", p) },
	unit.CondIOPressure:             func(e *Env, p string) (bool, error) { return e.pressure("io", p) },
}
