package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"firn/shim/internal/config"
	"firn/shim/internal/container"
)

func newNspawn() *cobra.Command {
	return &cobra.Command{
		Use:                "nspawn [OPTIONS...] [PATH [ARGS...]]",
		GroupID:            "life",
		Short:              "run a container as systemd-nspawn does",
		ValidArgsFunction:  nspawnOptions,
		DisableFlagParsing: true, // the command line is systemd-nspawn's, see package config
		RunE:               func(_ *cobra.Command, args []string) error { return runNspawn(args) },
	}
}

// nspawnOptions completes the names of options and the words of closed lists.
func nspawnOptions(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	if !strings.HasPrefix(typed, "-") {
		return nil, cobra.ShellCompDirectiveDefault // paths
	}
	option, _, valued := strings.Cut(typed, "=")
	var words []string
	for _, o := range config.Options() {
		switch {
		case !o.Supported || o.Name == "" || valued && option != "--"+o.Name:
		case valued:
			for _, v := range o.Values {
				words = append(words, option+"="+v)
			}
		case o.Argument == "" || o.Optional:
			words = append(words, "--"+o.Name)
		default:
			words = append(words, "--"+o.Name+"=")
		}
	}
	return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

func runNspawn(args []string) error {
	c, err := nspawnConfig(args)
	if err != nil {
		return fmt.Errorf("cannot run container: %w", err)
	}
	switch c.Action {
	case config.ActionHelp:
		return writeNspawnHelp(os.Stdout)
	case config.ActionVersion:
		fmt.Println("firn", Version)
		return nil
	case config.ActionCapabilities:
		fmt.Println(strings.Join(config.Capabilities(), "\n"))
		return nil
	case config.ActionCleanup:
		_, err := openHost() // sweeps
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("cannot run container: must be root")
	}
	return superviseHere(c)
}

// superviseHere runs the container on firn's own terminal or descriptors.
func superviseHere(c *config.Config) error {
	s := &container.Supervisor{
		Config: c, Stdio: [3]*os.File{os.Stdin, os.Stdout, os.Stderr}, Warn: warn,
	}
	if !c.Quiet.V {
		s.Tell = func(text string) { fmt.Fprintln(os.Stderr, text) }
	}
	return supervise(s)
}

// nspawnConfig reads the command line and the settings files it leads to.
func nspawnConfig(args []string) (*config.Config, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	argv, err := config.ParseArgv(args, config.Caller{Dir: dir, LookupEnv: os.LookupEnv})
	if err != nil || argv.Action != config.ActionRun {
		return argv, err
	}
	return withSettings(argv)
}

// namedConfig is what run and start use: the settings file alone.
func namedConfig(name string) (*config.Config, error) {
	argv := &config.Config{
		Action:   config.ActionRun,
		Machine:  config.Of(name, config.Origin{Option: "NAME"}),
		Settings: config.Of(config.SettingsTrusted, config.Origin{}),
	}
	return withSettings(argv)
}

// withSettings adds the settings files of the command line's container and
// checks the whole.
func withSettings(argv *config.Config) (*config.Config, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	name, err := argv.MachineName(hostname)
	if err != nil {
		return nil, err
	}
	mode := argv.SettingsMode()
	caller := config.Caller{Dir: "/", LookupEnv: os.LookupEnv}
	root := os.DirFS("/")
	var file *config.Config
	if mode != config.SettingsNo {
		found, err := config.FindSettings(root, name, argv.Root.Directory.V)
		if err != nil {
			return nil, err
		}
		if file, err = found.Read(root, mode, caller); err != nil {
			return nil, err
		}
	}
	merged, err := config.Merge(argv, file, mode)
	if err != nil {
		return nil, err
	}
	for _, ignored := range merged.Ignored {
		warn(fmt.Sprintf("%s: %s", ignored.From, ignored.Reason))
	}
	bootWhatIsNamed(merged)
	return merged, merged.Validate()
}

// bootWhatIsNamed takes settings that say what to boot for Boot=yes, unless a
// program was asked for instead.
func bootWhatIsNamed(c *config.Config) {
	if c.Exec.Boot.Set || c.Exec.AsPID2.V || len(c.Exec.Parameters.V) > 0 {
		return
	}
	for _, named := range []config.Value[string]{c.Firn.SystemPath, c.Firn.Init} {
		if named.Set {
			c.Exec.Boot = config.Of(true, named.From)
			return
		}
	}
}
