package unit

import (
	"encoding/base64"
	"errors"
	"strings"

	"firn/init/unitfile"
)

// execSettings are those of systemd.exec(5) that are not about confinement.
func execSettings() []Setting {
	return join(execUserSettings(), execPathSettings(), execEnvironmentSettings(), stdioSettings(), schedulingSettings(),
		directorySettings(), credentialSettings())
}

func execFlag(key string, field func(e *Exec) *bool) Setting {
	return does(key, into(func(u *Unit) *bool { return field(u.Exec) }, boolean))
}

func execText(key string, field func(e *Exec) *string, read func(*reader, string) (string, error)) Setting {
	return does(key, into(func(u *Unit) *string { return field(u.Exec) }, read))
}

func execList(key string, field func(e *Exec) *[]string, read func(*reader, string) ([]string, error)) Setting {
	return does(key, each(func(u *Unit) *[]string { return field(u.Exec) }, read))
}

func execUserSettings() []Setting {
	return []Setting{
		execText("User", func(e *Exec) *string { return &e.User }, account),
		execText("Group", func(e *Exec) *string { return &e.Group }, account),
		execList("SupplementaryGroups", func(e *Exec) *[]string { return &e.SupplementaryGroups }, many(account)),
		execFlag("DynamicUser", func(e *Exec) *bool { return &e.DynamicUser }),
		execFlag("NoNewPrivileges", func(e *Exec) *bool { return &e.NoNewPrivileges }),
		execFlag("IgnoreSIGPIPE", func(e *Exec) *bool { return &e.IgnoreSIGPIPE }),
		execText("PAMName", func(e *Exec) *string { return &e.PAMName }, expanded).
			with(Unsupported, "no PAM session is opened: firn-init is static and PAM's modules are libraries"),
		does("UMask", into(func(u *Unit) *uint32 { return &u.Exec.UMask }, mode)),
		does("CapabilityBoundingSet", capabilities(func(e *Exec) *uint64 { return &e.CapabilityBoundingSet }, allCapabilities)),
		does("AmbientCapabilities", capabilities(func(e *Exec) *uint64 { return &e.AmbientCapabilities }, 0)),
		does("SecureBits", secureBits),
		does("SetLoginEnvironment", nil).with(Unsupported, "HOME, LOGNAME and SHELL are set when User= is, as by default"),
	}
}

func execPathSettings() []Setting {
	return []Setting{
		does("WorkingDirectory", workingDirectory),
		does("RootDirectory", into(func(u *Unit) *string { return &u.Exec.RootDirectory }, absoluteOrNone)),
		does("MountAPIVFS", into(func(u *Unit) *Tristate { return &u.Exec.MountAPIVFS }, tristate)).
			with(Unsupported, noNamespace),
		does("BindPaths", binds(false)).with(Unsupported, noNamespace),
		does("BindReadOnlyPaths", binds(true)).with(Unsupported, noNamespace),
		does("TemporaryFileSystem", each(func(u *Unit) *[]TemporaryFS { return &u.Exec.TemporaryFileSystems },
			many(temporaryFS))).with(Unsupported, noNamespace),
	}
}

func execEnvironmentSettings() []Setting {
	return []Setting{
		does("Environment", environment),
		does("EnvironmentFile", each(func(u *Unit) *[]EnvironmentFile { return &u.Exec.EnvironmentFiles }, one(environmentFile))),
		execList("PassEnvironment", func(e *Exec) *[]string { return &e.PassEnvironment }, many(variableName)),
		execList("UnsetEnvironment", func(e *Exec) *[]string { return &e.UnsetEnvironment }, many(expanded)),
	}
}

var (
	errAccount    = errors.New("not a user or group name, nor a number")
	errVariable   = errors.New("not a variable's name")
	errAssignment = errors.New("not an assignment to a variable")
)

// account reads a user's or group's name. As systemd, it takes any name that could stand in a database, with a line's
// separators and paths left out.
func account(r *reader, value string) (string, error) {
	name, err := r.expand(value)
	switch {
	case err != nil:
		return "", refuse(err)
	case name == "":
		return "", nil
	case len(name) > 255 || strings.ContainsAny(name, ":/\n\x00") || strings.Trim(name, blanks) != name || name[0] == '-' ||
		name == "." || name == "..":
		return "", refuse(errAccount)
	}
	return name, nil
}

func workingDirectory(r *reader, u *Unit, value string) error {
	rest, optional := strings.CutPrefix(value, "-")
	if rest == "~" || rest == "" {
		u.Exec.WorkingDirectory, u.Exec.WorkingDirectoryOptional = rest, optional
		return nil
	}
	p, err := absolute(r, rest)
	if err != nil && !optional {
		return refuse(err)
	}
	if err == nil {
		u.Exec.WorkingDirectory, u.Exec.WorkingDirectoryOptional = p, optional
	}
	return err
}

// isVariable tells whether a name can be one of the environment (environ(7), POSIX 8.1).
func isVariable(name string) bool {
	return name != "" && strings.Trim(name, letters+digits+"_") == "" && strings.IndexByte(digits, name[0]) < 0
}

func variableName(r *reader, word string) (string, error) {
	name, err := r.expand(word)
	if err == nil && !isVariable(name) {
		err = errVariable
	}
	return name, err
}

func environment(r *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.Environment = nil
		return nil
	}
	words, err := unitfile.ExtractWords(value, "", unitfile.Unquote|unitfile.CUnescape)
	if errors.Is(err, unitfile.ErrEscape) {
		r.warn("unknown escape sequence, taken as it stands")
		words, err = unitfile.ExtractWords(value, "", unitfile.Unquote|unitfile.CUnescape|unitfile.UnescapeRelax)
	}
	if err != nil {
		return err
	}
	for _, word := range words {
		assignment, err := r.expand(word)
		if err != nil {
			return err
		}
		name, _, ok := strings.Cut(assignment, "=")
		if !ok || !isVariable(name) {
			r.warn("%q: %v", assignment, errAssignment)
			continue
		}
		u.Exec.Environment = setVariable(u.Exec.Environment, name, assignment)
	}
	return nil
}

// setVariable replaces the assignment to a name, or adds one.
func setVariable(list []string, name, assignment string) []string {
	for i, old := range list {
		if strings.HasPrefix(old, name) && old[len(name)] == '=' {
			list[i] = assignment
			return list
		}
	}
	return append(list, assignment)
}

func environmentFile(r *reader, value string) (EnvironmentFile, error) {
	rest, optional := strings.CutPrefix(value, "-")
	p, err := r.expand(rest)
	if err != nil {
		return EnvironmentFile{}, err
	}
	p, err = cleanAbsolute(p)
	return EnvironmentFile{p, optional}, err
}

func directorySettings() []Setting {
	var rows []Setting
	for kind := range DirectoryKinds {
		rows = append(rows,
			does(kind.String(), each(func(u *Unit) *[]Directory { return &u.Exec.Directories[kind].Entries },
				func(r *reader, value string) ([]Directory, error) { return directories(r, kind, value) })),
			does(kind.String()+"Mode", into(func(u *Unit) *uint32 { return &u.Exec.Directories[kind].Mode }, mode)))
	}
	return append(rows,
		does("RuntimeDirectoryPreserve", into(func(u *Unit) *Preserve { return &u.Exec.RuntimeDirectoryPreserve }, preserve)),
		does("TimeoutCleanSec", nil).with(Ignored, "bounds systemctl clean, which firn does not have"))
}

var errPrivate = errors.New("private is the directory of dynamic users")

// directories reads PATH[:SYMLINK[:...]] words.
func directories(r *reader, kind DirectoryKind, value string) ([]Directory, error) {
	words, err := unitfile.ExtractWords(value, "", unitfile.Unquote)
	if err != nil {
		return nil, err
	}
	var list []Directory
	for _, word := range words {
		fields := strings.Split(word, ":")
		for i, field := range fields {
			if fields[i], err = r.expand(field); err == nil {
				fields[i], err = relative(fields[i])
			}
			if err == nil && (fields[i] == "private" || strings.HasPrefix(fields[i], "private/")) {
				err = errPrivate
			}
			if err != nil {
				return list, err
			}
		}
		if kind == ConfigurationDirectory && len(fields) > 1 {
			r.warn("symbolic links do not fit a configuration directory")
			fields = fields[:1]
		}
		list = append(list, Directory{fields[0], fields[1:]})
	}
	return list, nil
}

func preserve(r *reader, value string) (Preserve, error) {
	if value == "restart" {
		return PreserveRestart, nil
	}
	on, err := boolean(r, value)
	if on {
		return PreserveYes, err
	}
	return PreserveNo, err
}

func credentialSettings() []Setting {
	const sealed = "encrypted credentials need systemd's key of the machine"
	return []Setting{
		does("LoadCredential", each(func(u *Unit) *[]Credential { return &u.Exec.LoadCredentials }, one(loadCredential))),
		does("SetCredential", each(func(u *Unit) *[]Credential { return &u.Exec.SetCredentials }, one(setCredential))),
		execList("ImportCredential", func(e *Exec) *[]string { return &e.ImportCredentials }, one(expanded)),
		does("LoadCredentialEncrypted", nil).with(Unsupported, sealed),
		does("SetCredentialEncrypted", nil).with(Unsupported, sealed),
	}
}

var errCredential = errors.New("not a credential's name")

func credentialName(r *reader, value string) (string, error) {
	id, err := r.expand(value)
	if err == nil && (id == "" || len(id) > 255 || strings.ContainsAny(id, "/\x00\n") || id == "." || id == "..") {
		err = errCredential
	}
	return id, err
}

// loadCredential reads ID[:PATH]; PATH may be absolute, or the name of a credential of the system.
func loadCredential(r *reader, value string) (Credential, error) {
	name, source, given := strings.Cut(value, ":")
	id, err := credentialName(r, name)
	if err != nil || !given {
		return Credential{ID: id, Source: id}, err
	}
	if source, err = r.expand(source); err != nil {
		return Credential{}, err
	}
	if strings.HasPrefix(source, "/") {
		source, err = cleanAbsolute(source)
	} else if _, bad := credentialName(r, source); bad != nil {
		err = bad
	}
	return Credential{ID: id, Source: source}, err
}

// setCredential reads ID:VALUE, the value with C escapes.
func setCredential(r *reader, value string) (Credential, error) {
	name, data, given := strings.Cut(value, ":")
	id, err := credentialName(r, name)
	if err != nil || !given {
		return Credential{}, errors.Join(err, ErrValue)
	}
	data, err = unitfile.Unescape(data)
	return Credential{ID: id, Data: data}, err
}

// binds reads SOURCE[:TARGET[:OPTIONS]] words.
func binds(readOnly bool) parser {
	read := many(func(r *reader, word string) (Bind, error) {
		b := Bind{ReadOnly: readOnly, Recursive: true}
		fields, err := unitfile.ExtractWords(word, ":", unitfile.Unquote|unitfile.CUnescape|unitfile.UnescapeSeparators|unitfile.KeepEmpty)
		if err != nil || len(fields) == 0 || len(fields) > 3 {
			return b, ErrValue
		}
		b.Source, b.Optional = strings.CutPrefix(fields[0], "-")
		if b.Source, err = absolute(r, b.Source); err != nil {
			return b, err
		}
		b.Target = b.Source
		if len(fields) > 1 && fields[1] != "" {
			if b.Target, err = absolute(r, fields[1]); err != nil {
				return b, err
			}
		}
		if len(fields) > 2 {
			switch fields[2] {
			case "", "rbind":
			case "norbind":
				b.Recursive = false
			default:
				return b, ErrValue
			}
		}
		return b, nil
	})
	return each(func(u *Unit) *[]Bind { return &u.Exec.Binds }, read)
}

func temporaryFS(r *reader, word string) (TemporaryFS, error) {
	p, options, _ := strings.Cut(word, ":")
	p, err := absolute(r, p)
	if err != nil {
		return TemporaryFS{}, err
	}
	options, err = r.expand(options)
	return TemporaryFS{p, options}, err
}

func standardInputData(r *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.StdinData = ""
		return nil
	}
	// The alphabet has no blanks, and continuation lines leave some.
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value), ""))
	if err == nil {
		u.Exec.StdinData += string(data)
	}
	return err
}

func standardInputText(r *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.StdinData = ""
		return nil
	}
	text, err := unitfile.Unescape(value)
	if err == nil {
		text, err = r.expand(text)
	}
	if err == nil {
		u.Exec.StdinData += text + "\n"
	}
	return err
}
