package main

import (
	"errors"
	"runtime"
	"strings"

	"firn/kmod"
)

var modinfoOptions = []option{
	{'a', "author", false, "print only 'author'"},
	{'d', "description", false, "print only 'description'"},
	{'l', "license", false, "print only 'license'"},
	{'p', "parameters", false, "print only 'parm'"},
	{'n', "filename", false, "print only 'filename'"},
	{'0', "null", false, "end values with a zero byte instead of a newline"},
	{'m', "modname", false, "arguments are module names, not aliases or files"},
	{'F', "field", true, "print only this field"},
	{'k', "set-version", true, "kernel release, in place of uname -r"},
	{'b', "basedir", true, "root of /lib/modules; may be repeated"},
	{0, "json", false, "output as JSON"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

type modinfo struct {
	*program
	where
	field   string
	end     string
	modname bool
	list    jsonList
}

func runModinfo(p *program, args []string) int {
	m := &modinfo{program: p, end: "\n"}
	m.list.w = &p.out
	found, operands, problem := getopt(args, modinfoOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, o := range found {
		switch o.key {
		case "a", "d", "l", "p", "n":
			m.field = map[string]string{"a": "author", "d": "description", "l": "license", "p": "parm", "n": "filename"}[o.key]
		case "0":
			m.end = "\x00"
		case "m":
			m.modname = true
		case "F":
			m.field = o.value
		case "json":
			m.list.enabled = true
		case "V":
			p.printVersion()
			return 0
		case "h":
			p.optionHelp("modinfo [options] modulename|filename...", modinfoOptions)
			return 0
		default:
			_ = m.where.option(o)
		}
	}
	if len(operands) == 0 {
		p.log.error("missing module or filename.")
		return 1
	}
	return m.showAll(operands)
}

// showAll prints the operands in order, while the files of those that follow are
// read already.
func (m *modinfo) showAll(operands []string) int {
	c := m.open()
	code := 0
	pages := m.pages(c, operands)
	for page := range pages {
		<-page.done
		m.log.buffered(page.errors)
		if len(page.errors) > 0 {
			code = 1
		}
		for _, object := range page.objects {
			m.list.object(object)
		}
		m.out.puts(string(page.text.buf))
	}
	m.list.end()
	return code
}

// A page is what is printed for one operand.
type page struct {
	done    chan struct{}
	operand string
	text    writer
	objects []string // JSON
	errors  []string
}

// pages makes the pages in order; so many as there are processors at a time.
func (m *modinfo) pages(c *kmod.Context, operands []string) <-chan *page {
	workers := runtime.GOMAXPROCS(0)
	ordered, work := make(chan *page, 4*workers), make(chan *page)
	for range min(workers, len(operands)) {
		go func() {
			for p := range work {
				m.fill(c, p)
				close(p.done)
			}
		}()
	}
	go func() {
		for _, operand := range operands {
			p := &page{done: make(chan struct{}), operand: operand, text: writer{hold: true}}
			ordered <- p
			work <- p
		}
		close(ordered)
		close(work)
	}()
	return ordered
}

func (m *modinfo) fill(c *kmod.Context, p *page) {
	modules, err := m.find(c, p.operand)
	switch {
	case errors.Is(err, kmod.ErrNotFound) && m.modname:
		p.errors = append(p.errors, "Module name "+p.operand+" not found.")
	case err != nil:
		p.errors = append(p.errors, "Module "+p.operand+" not found.")
	}
	for _, module := range modules {
		if err := m.show(c, module, p); err != nil {
			p.errors = append(p.errors, "could not get modinfo from '"+module.Name+"': "+err.Error())
		}
	}
}

// find resolves an operand: a regular file named *.ko or *.ko.*, else a name.
func (m *modinfo) find(c *kmod.Context, operand string) ([]*kmod.Module, error) {
	if m.modname {
		module, err := c.Named(operand)
		if err != nil {
			return nil, err
		}
		return []*kmod.Module{module}, nil
	}
	if isModulePath(operand) {
		return []*kmod.Module{{Name: kmod.NameOfPath(operand), Path: kmod.AbsPath(operand)}}, nil
	}
	if strings.HasPrefix(operand, "/") || strings.HasPrefix(operand, "./") {
		return nil, kmod.ErrNotFound
	}
	return c.Lookup(operand)
}

func isModulePath(path string) bool {
	i := strings.Index(path, ".ko")
	return i >= 0 && (len(path) == i+3 || path[i+3] == '.') && kmod.IsRegular(path)
}

func (m *modinfo) show(c *kmod.Context, module *kmod.Module, p *page) error {
	builtin := module.Path == ""
	filename := module.Path
	if builtin {
		filename = "(builtin)"
	}
	if m.field == "filename" && !m.list.enabled {
		p.text.puts(filename, m.end)
		return nil
	}
	var info *kmod.Modinfo
	var err error
	if builtin {
		info, err = c.BuiltinModinfo(module.Name)
	} else {
		info, err = kmod.ReadModinfo(module.Path)
	}
	if err != nil {
		return err
	}
	switch {
	case m.list.enabled:
		p.objects = append(p.objects, m.json(module, filename, info))
	case m.field != "":
		m.showField(info, &p.text)
	default:
		m.showText(module, filename, builtin, info, &p.text)
	}
	return nil
}

// A parameter is joined from "parm=NAME:TEXT" and "parmtype=NAME:TYPE".
type parameter struct {
	name, text, kind string
	described        bool
}

// String is the parameter as modinfo shows it; bare is its odd way of showing one
// without a description in the listing of all fields.
func (p parameter) String(bare bool) string {
	switch {
	case p.kind == "":
		return p.name + ":" + p.text
	case !p.described && bare:
		return p.name + ":" + p.kind
	}
	return p.name + ":" + p.text + " (" + p.kind + ")"
}

// rows are all fields in the order in which modinfo shows them: as in the file,
// then the signature, then the parameters from the last to the first.
func rows(info *kmod.Modinfo, bare bool) []kmod.Field {
	var fields []kmod.Field
	var parameters []parameter
	index := map[string]int{}
	for _, f := range info.Fields {
		if f.Key != "parm" && f.Key != "parmtype" {
			fields = append(fields, f)
			continue
		}
		name, text, _ := strings.Cut(f.Value, ":")
		i, ok := index[name]
		if !ok {
			i = len(parameters)
			index[name] = i
			parameters = append(parameters, parameter{name: name})
		}
		if f.Key == "parm" {
			parameters[i].text, parameters[i].described = text, true
		} else {
			parameters[i].kind = text
		}
	}
	if s := info.Signature; s != nil {
		fields = append(fields, kmod.Field{Key: "sig_id", Value: s.ID}, kmod.Field{Key: "signer", Value: s.Signer},
			kmod.Field{Key: "sig_key", Value: kmod.HexBytes(s.KeyID)}, kmod.Field{Key: "sig_hashalgo", Value: s.HashAlgorithm},
			kmod.Field{Key: "signature", Value: hexLines(s.Bytes)})
	}
	for i := len(parameters) - 1; i >= 0; i-- {
		fields = append(fields, kmod.Field{Key: "parm", Value: parameters[i].String(bare)})
	}
	return fields
}

// hexLines breaks a signature into lines of 20 bytes.
func hexLines(b []byte) string {
	var out strings.Builder
	out.Grow(3*len(b) + len(b)/20*3)
	for start := 0; start < len(b); start += 20 {
		if start > 0 {
			out.WriteString(":\n\t\t")
		}
		out.WriteString(kmod.HexBytes(b[start:min(start+20, len(b))]))
	}
	return out.String()
}

func (m *modinfo) showText(module *kmod.Module, filename string, builtin bool, info *kmod.Modinfo, out *writer) {
	// A built-in module has no entry of its own that says its name.
	if builtin {
		m.row(out, "name", module.Name, true)
	}
	m.row(out, "filename", filename, true)
	for _, f := range rows(info, true) {
		m.row(out, f.Key, f.Value, f.Key == "parm")
	}
}

func (m *modinfo) row(out *writer, key, value string, padded bool) {
	// With -0 only what is in the file has the file's form; the rest does not, so
	// that scripts written for kmod find it.
	if m.end == "\x00" && !padded {
		out.puts(key, "=", value, m.end)
		return
	}
	out.puts(key, ":", strings.Repeat(" ", max(0, 15-len(key))), value, m.end)
}

func (m *modinfo) showField(info *kmod.Modinfo, out *writer) {
	for _, f := range rows(info, false) {
		if strings.EqualFold(m.field, f.Key) {
			out.puts(f.Value, m.end)
		}
	}
}

func (m *modinfo) json(module *kmod.Module, filename string, info *kmod.Modinfo) string {
	pairs := []pair{{"module", module.Name}, {"filename", filename}}
	seen := map[string]int{}
	for _, f := range rows(info, false) {
		if m.field != "" && !strings.EqualFold(m.field, f.Key) {
			continue
		}
		if i, ok := seen[f.Key]; ok {
			pairs[i].value = append(pairs[i].value.([]string), f.Value)
			continue
		}
		seen[f.Key] = len(pairs)
		pairs = append(pairs, pair{f.Key, []string{f.Value}})
	}
	return object(pairs...)
}
