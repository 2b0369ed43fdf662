// Package config says what was asked of a container, and where it was asked.
//
// Role: the first stage of the data flow (ARCHITECTURE.md): text the user
// already has becomes one Config.
//
// Input: the command line of systemd-nspawn(1) and settings files as
// systemd.nspawn(5) describes them, with firn's own [Firn] section.
//
// Output: Config, a plain structure in which each value that a user wrote
// keeps its Origin, so that every later stage can name the place in the user's
// text. What nobody wrote stays unset: defaults that depend on the host or on
// the root file system belong to the next stage, shim/internal/spec.
//
// The package is pure: it reads no environment, no clock and no file but those
// that the caller passes in (Caller, fs.FS). It never looks at the container's
// root; whether a path exists is the business of later stages.
//
// A typical caller:
//
//	argv, err := config.ParseArgv(os.Args[1:], caller)
//	name, err := argv.MachineName(hostname)
//	mode := argv.SettingsMode()
//	found, err := config.FindSettings(host, name, argv.Root.Directory.V) // host is os.DirFS("/")
//	file, err := found.Read(host, mode, caller)
//	c, err := config.Merge(argv, file, mode)
//	err = c.Validate()
package config
