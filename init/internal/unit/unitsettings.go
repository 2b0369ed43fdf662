package unit

import "strings"

// unitSettings are the [Unit] section's (systemd.unit(5)) without its conditions.
func unitSettings() []Setting {
	var rows []Setting
	for _, d := range []struct {
		key  string
		kind DepKind
	}{
		{"Requires", Requires}, {"Requisite", Requisite}, {"Wants", Wants}, {"BindsTo", BindsTo}, {"BindTo", BindsTo},
		{"Upholds", Upholds}, {"PartOf", PartOf}, {"Conflicts", Conflicts}, {"Before", Before}, {"After", After},
		{"OnSuccess", OnSuccess}, {"OnFailure", OnFailure},
		{"PropagatesReloadTo", PropagatesReloadTo}, {"PropagateReloadTo", PropagatesReloadTo},
		{"ReloadPropagatedFrom", ReloadPropagatedFrom}, {"PropagateReloadFrom", ReloadPropagatedFrom},
		{"PropagatesStopTo", PropagatesStopTo}, {"StopPropagatedFrom", StopPropagatedFrom},
		{"JoinsNamespaceOf", JoinsNamespaceOf},
		// Removed from systemd in 2015, which takes them for the plain ones.
		{"RequiresOverridable", Requires}, {"RequisiteOverridable", Requisite},
	} {
		rows = append(rows, does(d.key, dependency(d.kind)))
	}
	for _, o := range []struct {
		key    string
		option Option
	}{
		{"DefaultDependencies", DefaultDependencies}, {"StopWhenUnneeded", StopWhenUnneeded},
		{"RefuseManualStart", RefuseManualStart}, {"RefuseManualStop", RefuseManualStop}, {"AllowIsolate", AllowIsolate},
		{"IgnoreOnIsolate", IgnoreOnIsolate}, {"SurviveFinalKillSignal", SurviveFinalKill},
	} {
		rows = append(rows, does(o.key, option(o.option)))
	}
	return append(append(rows, limitSettings()...),
		does("Description", into(func(u *Unit) *string { return &u.Description }, expanded)),
		does("Documentation", each(func(u *Unit) *[]string { return &u.Documentation }, many(expanded))),
		does("SourcePath", into(func(u *Unit) *string { return &u.SourcePath }, absoluteOrNone)),
		does("RequiresMountsFor", each(func(u *Unit) *[]string { return &u.RequiresMountsFor }, many(absolute))),
		does("WantsMountsFor", nil).with(Unsupported, "mounts that are only wanted are not told apart yet"),
		does("OnFailureJobMode", into(func(u *Unit) *JobMode { return &u.OnFailureJobMode }, jobMode)),
		does("OnSuccessJobMode", into(func(u *Unit) *JobMode { return &u.OnSuccessJobMode }, jobMode)),
		does("OnFailureIsolate", isolate),
		does("CollectMode", into(func(u *Unit) *CollectMode { return &u.CollectMode },
			choice[CollectMode]("inactive", "inactive-or-failed"))),
	)
}

// limitSettings are those of [Unit] that bound how long and how often, and say what then.
func limitSettings() []Setting {
	interval := into(func(u *Unit) *Span { return &u.StartLimitInterval }, span)
	action := func(field func(u *Unit) *Action) parser { return into(field, readAction) }
	status := func(field func(u *Unit) *int16) parser { return into(field, exitStatus) }
	return []Setting{
		does("JobTimeoutSec", into(func(u *Unit) *Span { return &u.JobTimeout }, spanOrNever)),
		does("JobRunningTimeoutSec", into(func(u *Unit) *Span { return &u.JobRunningTimeout }, spanOrNever)),
		does("JobTimeoutAction", action(func(u *Unit) *Action { return &u.JobTimeoutAction })),
		does("JobTimeoutRebootArgument", into(func(u *Unit) *string { return &u.RebootArgument }, expanded)),
		does("StartLimitIntervalSec", interval),
		does("StartLimitInterval", interval),
		does("StartLimitBurst", into(func(u *Unit) *uint32 { return &u.StartLimitBurst }, unsigned)),
		does("StartLimitAction", action(func(u *Unit) *Action { return &u.StartLimitAction })),
		does("FailureAction", action(func(u *Unit) *Action { return &u.FailureAction })),
		does("SuccessAction", action(func(u *Unit) *Action { return &u.SuccessAction })),
		does("FailureActionExitStatus", status(func(u *Unit) *int16 { return &u.FailureExitStatus })),
		does("SuccessActionExitStatus", status(func(u *Unit) *int16 { return &u.SuccessExitStatus })),
		does("RebootArgument", into(func(u *Unit) *string { return &u.RebootArgument }, expanded)),
	}
}

var jobMode = choice[JobMode]("replace", "fail", "replace-irreversibly", "isolate", "flush", "ignore-dependencies",
	"ignore-requirements")

var readAction = choice[Action]("none", "reboot", "reboot-force", "reboot-immediate", "poweroff", "poweroff-force",
	"poweroff-immediate", "exit", "exit-force", "kexec", "kexec-force", "halt", "halt-force", "halt-immediate")

func exitStatus(r *reader, value string) (int16, error) {
	if value == "" {
		return -1, nil
	}
	n, err := within(0, 255)(r, value)
	return int16(n), err
}

func option(o Option) parser {
	return func(r *reader, u *Unit, value string) error {
		on, err := boolean(r, value)
		if err != nil {
			return err
		}
		u.Options &^= o
		if on {
			u.Options |= o
		}
		return nil
	}
}

func isolate(r *reader, u *Unit, value string) error {
	on, err := boolean(r, value)
	if err == nil {
		u.OnFailureJobMode = JobReplace
		if on {
			u.OnFailureJobMode = JobIsolate
		}
	}
	return err
}

// dependency reads names; dependencies are the lists that an empty value does not reset (systemd.unit(5)).
func dependency(kind DepKind) parser {
	read := many(dependencyName)
	return func(r *reader, u *Unit, value string) error {
		names, err := read(r, value)
		for _, n := range names {
			if n != u.Name {
				u.Deps.Add(kind, FromFile, n)
			}
		}
		return err
	}
}

// dependencyName reads a unit's name. A template gets the instance of the unit that names it, or else its prefix.
func dependencyName(r *reader, value string) (Name, error) {
	n, err := installName(r, value)
	return n.For(r.unit.Name), err
}

func conditionSettings() []Setting {
	var rows []Setting
	for kind := range ConditionKinds {
		condition := each(func(u *Unit) *[]Condition { return &u.Conditions }, one(readCondition(kind)))
		assert := each(func(u *Unit) *[]Condition { return &u.Asserts }, one(readCondition(kind)))
		rows = append(rows, does("Condition"+kind.String(), condition), does("Assert"+kind.String(), assert))
	}
	return rows
}

// isPathCondition tells which conditions take a path.
func (k ConditionKind) isPath() bool {
	return k >= CondPathExists && k <= CondFileIsExecutable
}

func readCondition(kind ConditionKind) func(r *reader, value string) (Condition, error) {
	return func(r *reader, value string) (Condition, error) {
		c := Condition{Kind: kind}
		if rest, ok := strings.CutPrefix(value, "|"); ok {
			c.Trigger, value = true, rest
		}
		if rest, ok := strings.CutPrefix(value, "!"); ok {
			c.Negate, value = true, rest
		}
		if kind.isPath() {
			var err error
			c.Param, err = absolute(r, value)
			return c, err
		}
		var err error
		c.Param, err = r.expand(value)
		return c, err
	}
}

func installSettings() []Setting {
	names := func(field func(u *Unit) *[]Name) parser { return each(field, many(installName)) }
	return []Setting{
		does("Alias", names(func(u *Unit) *[]Name { return &u.Install.Aliases })),
		does("WantedBy", names(func(u *Unit) *[]Name { return &u.Install.WantedBy })),
		does("RequiredBy", names(func(u *Unit) *[]Name { return &u.Install.RequiredBy })),
		does("UpheldBy", names(func(u *Unit) *[]Name { return &u.Install.UpheldBy })),
		does("Also", names(func(u *Unit) *[]Name { return &u.Install.Also })),
		does("DefaultInstance", into(func(u *Unit) *string { return &u.Install.DefaultInstance }, expanded)),
	}
}

// installName may be a template: enabling gives it the instance.
func installName(r *reader, value string) (Name, error) {
	s, err := r.expand(value)
	if err != nil {
		return "", err
	}
	return ParseName(s)
}
