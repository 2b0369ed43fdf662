package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The manual pages and completions of firn-init and firn-kmod are written by
// hand. Here they are held against the tables that the programs read their
// command lines by, taken from the sources: what is missing is named, and so is
// what is said but not there.

// A flag is an option of a program.
type flag struct {
	short, long string // with their dashes; short may be empty
	value       bool
}

func (f flag) names() []string {
	return slices.DeleteFunc([]string{f.short, f.long}, func(s string) bool { return s == "" })
}

func flagNames(flags []flag) []string {
	set := map[string]bool{}
	for _, f := range flags {
		for _, name := range f.names() {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func parseGo(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func unquote(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok {
		if s, err := strconv.Unquote(lit.Value); err == nil {
			return s
		}
	}
	return ""
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// kmodSource is what firn-kmod's sources say: tables of options by variable,
// functions by name, and the function of each tool.
type kmodSource struct {
	tables map[string][]flag
	funcs  map[string]*ast.FuncDecl
	tools  map[string]string
}

func readKmodSource(t *testing.T) kmodSource {
	t.Helper()
	s := kmodSource{map[string][]flag{}, map[string]*ast.FuncDecl{}, map[string]string{}}
	files, err := filepath.Glob("../kmod/cmd/firn-kmod/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("sources of firn-kmod: %v, %v", files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(parseGo(t, name), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				s.funcs[n.Name.Name] = n
			case *ast.ValueSpec:
				if len(n.Values) == 1 {
					if rows := rowsOf(n.Values[0], "option"); rows != nil {
						s.tables[n.Names[0].Name] = kmodFlags(rows)
					}
				}
			case *ast.CompositeLit:
				for _, row := range rowsOf(n, "tool") {
					s.tools[unquote(row[0])] = row[2].(*ast.Ident).Name
				}
			}
			return true
		})
	}
	return s
}

// rowsOf gives the rows of a literal []NAME{{...}, ...}.
func rowsOf(e ast.Expr, name string) (rows [][]ast.Expr) {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	if array, ok := lit.Type.(*ast.ArrayType); !ok || !isIdent(array.Elt, name) {
		return nil
	}
	for _, row := range lit.Elts {
		rows = append(rows, row.(*ast.CompositeLit).Elts)
	}
	return rows
}

func kmodFlags(rows [][]ast.Expr) (flags []flag) {
	for _, row := range rows {
		f := flag{long: "--" + unquote(row[1]), value: isIdent(row[2], "true")}
		if short := unquote(row[0]); short != "" {
			f.short = "-" + short
		}
		flags = append(flags, f)
	}
	return flags
}

// flags gives the options of a tool: those of the table that its function names,
// or that the tool's function it calls does.
func (s kmodSource) flags(t *testing.T, function string) []flag {
	t.Helper()
	var found []flag
	var next string
	ast.Inspect(s.funcs[function].Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if table, ok := s.tables[id.Name]; ok {
				found = table
			} else if strings.HasPrefix(id.Name, "run") && s.funcs[id.Name] != nil {
				next = id.Name
			}
		}
		return true
	})
	switch {
	case found != nil:
		return found
	case next != "":
		return s.flags(t, next)
	}
	t.Fatalf("%s: no table of options", function)
	return nil
}

// A manPage has its sections by name: a .SH's, or the first word of a .SS's.
type manPage struct {
	text     string
	sections map[string][]string // lines
}

func readManPage(t *testing.T, name string) manPage {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	page := manPage{strings.ReplaceAll(string(data), `\-`, "-"), map[string][]string{}}
	section := ""
	for line := range strings.Lines(page.text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, ".SH "); ok {
			section = name
		} else if name, ok := strings.CutPrefix(line, ".SS "); ok {
			section, _, _ = strings.Cut(name, " ")
		}
		page.sections[section] = append(page.sections[section], line)
	}
	return page
}

// sectionOf gives the section of a tool; some are another by a second name.
func (p manPage) sectionOf(tool string) string {
	if other := map[string]string{"insert": "modprobe", "remove": "modprobe", "config": "modprobe", "list": "lsmod"}[tool]; other != "" {
		return other
	}
	return tool
}

var flagPattern = regexp.MustCompile(`(?:^|[ "\]])(--?[A-Za-z0-9][A-Za-z0-9-]*)`)

func flagsIn(line string) (names []string) {
	for _, m := range flagPattern.FindAllStringSubmatch(line, -1) {
		names = append(names, m[1])
	}
	return names
}

// described gives the options that a section explains (the tags of its .TP), and
// those it says are common ones.
func (p manPage) described(section string) (tags, common []string) {
	inCommon, tag := false, false
	for _, line := range p.sections[section] {
		switch {
		case line == "Common:":
			inCommon = true
		case strings.HasPrefix(line, ".SS"):
			inCommon = false
		case inCommon:
			common = append(common, flagsIn(line)...)
		case tag:
			tags = append(tags, flagsIn(line)...)
		}
		tag = line == ".TP" || line == ".TQ"
	}
	return tags, common
}

// sameFlags reports what one side lacks of the other.
func sameFlags(t *testing.T, what string, want, got []string) {
	t.Helper()
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s: %s is missing", what, name)
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s: %s is no option of the program", what, name)
		}
	}
}

func TestKmodManPage(t *testing.T) {
	t.Parallel()
	source, page := readKmodSource(t), readManPage(t, "../man/firn-kmod.8")
	shared, _ := page.described("COMMON OPTIONS")
	if len(source.tools) < 10 {
		t.Fatalf("found only the tools %v", source.tools)
	}
	for tool, function := range source.tools {
		if !regexp.MustCompile(`(?m)^\.S?[SBI].*\b` + tool + `\b`).MatchString(page.text) {
			t.Errorf("%s is not in the page", tool)
		}
		tags, common := page.described(page.sectionOf(tool))
		flags := source.flags(t, function)
		for _, f := range flags {
			if !slices.Contains(common, f.short) && !slices.Contains(common, f.long) {
				continue
			}
			for _, name := range f.names() {
				if !slices.Contains(shared, name) {
					t.Errorf("%s: %s is said to be common, and is not", tool, name)
				}
				tags = append(tags, name)
			}
		}
		for _, name := range common {
			if !slices.Contains(tags, name) {
				t.Errorf("%s: common option %s is none of the program's", tool, name)
			}
		}
		sameFlags(t, "man/firn-kmod.8: "+tool, flagNames(flags), tags)
	}
}

// initFlags are the options that firn-init's parser has cases for.
func initFlags(t *testing.T) (names []string) {
	t.Helper()
	ast.Inspect(parseGo(t, "../init/invocation.go"), func(n ast.Node) bool {
		f, ok := n.(*ast.FuncDecl)
		if !ok || f.Name.Name != "option" {
			return true
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CaseClause); ok {
				for _, e := range c.List {
					names = append(names, unquote(e))
				}
			}
			return true
		})
		return false
	})
	if len(names) == 0 {
		t.Fatal("no options found in init/invocation.go")
	}
	return names
}

func TestInitManPage(t *testing.T) {
	t.Parallel()
	page, flags := readManPage(t, "../man/firn-init.8"), initFlags(t)
	tags, _ := page.described("OPTIONS")
	sameFlags(t, "man/firn-init.8", flags, tags)

	usage := shownFlags(t, "../init/usage.go", "\nOptions:\n")
	sameFlags(t, "firn-init --help", flags, usage)

	tags, _ = page.described("verify")
	sameFlags(t, "man/firn-init.8: verify", verifyFlags(t), tags)
}

// shownFlags gives the options in a help text, one a line after begin up to a
// blank line.
func shownFlags(t *testing.T, name, begin string) (shown []string) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, options, _ := strings.Cut(string(source), begin)
	options, _, _ = strings.Cut(options, "\n\n")
	for line := range strings.Lines(options) {
		tag, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
		shown = append(shown, flagsIn(tag)...)
	}
	if len(shown) == 0 {
		t.Fatalf("no options found in %s", name)
	}
	return shown
}

func verifyFlags(t *testing.T) []string {
	t.Helper()
	return shownFlags(t, "../init/internal/verify/verify.go", "all units of the tree.\n\n")
}

// signalName gives the name of a signal as the table of firn-init writes it: a
// constant of syscall, or RTMin + N.
func signalName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.BinaryExpr:
		if lit, ok := e.Y.(*ast.BasicLit); ok && isIdent(e.X, "RTMin") {
			return "SIGRTMIN+" + lit.Value
		}
	}
	return ""
}

func TestInitManPageSignals(t *testing.T) {
	t.Parallel()
	var want []string
	ast.Inspect(parseGo(t, "../init/internal/signals/table.go"), func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "Table" {
			for _, row := range rowsOf(spec.Values[0], "Row") {
				for _, field := range row {
					if kv := field.(*ast.KeyValueExpr); isIdent(kv.Key, "Signal") {
						want = append(want, signalName(kv.Value))
					}
				}
			}
		}
		return true
	})
	if len(want) < 20 || slices.Contains(want, "") {
		t.Fatalf("signals found: %q", want)
	}
	_, table, _ := strings.Cut(readManPage(t, "../man/firn-init.8").text, "\nSignal\tEffect\n")
	table, _, _ = strings.Cut(table, ".TE\n")
	var got []string
	for line := range strings.Lines(table) {
		name, _, _ := strings.Cut(line, "\t")
		got = append(got, name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("signals in man/firn-init.8:\n%v\nin the table of the program:\n%v", got, want)
	}
}
