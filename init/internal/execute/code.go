package execute

import (
	"errors"
	"fmt"
)

// Exit codes of the stage itself (systemd.exec(5), "Process Exit Codes").
const (
	exitChdir           = 200
	exitNice            = 201
	exitFDs             = 202
	exitExec            = 203
	exitMemory          = 204
	exitLimits          = 205
	exitOOMAdjust       = 206
	exitSignalMask      = 207
	exitStdin           = 208
	exitStdout          = 209
	exitChroot          = 210
	exitIOPrio          = 211
	exitTimerSlack      = 212
	exitSecureBits      = 213
	exitSetScheduler    = 214
	exitCPUAffinity     = 215
	exitGroup           = 216
	exitUser            = 217
	exitCapabilities    = 218
	exitSetsid          = 220
	exitStderr          = 222
	exitNoNewPrivileges = 227
	exitRuntimeDir      = 233
	exitChown           = 235
	exitStateDir        = 238
	exitCacheDir        = 239
	exitLogsDir         = 240
	exitConfigDir       = 241
	exitCredentials     = 243
)

var codeNames = map[int]string{
	exitChdir: "CHDIR", exitNice: "NICE", exitFDs: "FDS", exitExec: "EXEC", exitMemory: "MEMORY", exitLimits: "LIMITS",
	exitOOMAdjust: "OOM_ADJUST", exitSignalMask: "SIGNAL_MASK", exitStdin: "STDIN", exitStdout: "STDOUT",
	exitChroot: "CHROOT", exitIOPrio: "IOPRIO", exitTimerSlack: "TIMERSLACK", exitSecureBits: "SECUREBITS",
	exitSetScheduler: "SETSCHEDULER", exitCPUAffinity: "CPUAFFINITY", exitGroup: "GROUP", exitUser: "USER",
	exitCapabilities: "CAPABILITIES", exitSetsid: "SETSID", exitStderr: "STDERR", exitNoNewPrivileges: "NO_NEW_PRIVILEGES",
	exitRuntimeDir: "RUNTIME_DIRECTORY", exitChown: "CHOWN", exitStateDir: "STATE_DIRECTORY", exitCacheDir: "CACHE_DIRECTORY",
	exitLogsDir: "LOGS_DIRECTORY", exitConfigDir: "CONFIGURATION_DIRECTORY", exitCredentials: "CREDENTIALS",
}

// CodeName is the word for an exit code of the stage's, empty for all others.
func CodeName(code int) string { return codeNames[code] }

// StepError is a step that did not work.
type StepError struct {
	Code int
	Err  error
}

func (e *StepError) Error() string { return fmt.Sprintf("step %s: %v", codeNames[e.Code], e.Err) }

func (e *StepError) Unwrap() error { return e.Err }

// at gives an error the code of its step, unless it has one.
func at(code int, err error) error {
	var step *StepError
	if err == nil || errors.As(err, &step) {
		return err
	}
	return &StepError{Code: code, Err: err}
}
