package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"firn/devnodes"
	"firn/kmod"
)

var staticNodesOptions = []option{
	{'f', "format", true, "human (default), tmpfiles or devname"},
	{'o', "output", true, "write to this file"},
	{'b', "basedir", true, "root of /lib/modules; may be repeated"},
	{'k', "set-version", true, "kernel release, in place of uname -r"},
	{0, "json", false, "output as JSON"},
	{'h', "help", false, "show this help"},
}

func runStaticNodes(p *program, args []string) int {
	var w where
	write := devnodes.WriteHuman
	output := ""
	found, _, problem := getopt(args, staticNodesOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, o := range found {
		switch o.key {
		case "f":
			format, ok := map[string]func(io.Writer, []devnodes.Node) error{
				"human": devnodes.WriteHuman, "tmpfiles": devnodes.WriteTmpfiles, "devname": devnodes.WriteDevname,
			}[o.value]
			if !ok {
				p.log.raw("unknown format '" + o.value + "' (human, tmpfiles, devname)")
				return 1
			}
			write = format
		case "o":
			output = o.value
		case "json":
			write = writeNodesJSON
		case "h":
			p.optionHelp("firn-kmod static-nodes [options]", staticNodesOptions)
			return 0
		default:
			_ = w.option(o)
		}
	}
	nodes, err := p.readNodes(w.trees())
	if err != nil {
		p.log.error("%s", err)
		return 1
	}
	text := writer{hold: true}
	_ = write(&text, nodes)
	if output == "" {
		p.out.puts(string(text.buf))
	} else if err := writeOutput(output, text.buf); err != nil {
		p.log.error("could not write %s: %s", output, err)
		return 1
	}
	return 0
}

// readNodes reads modules.devname of every tree. A kernel without modules has no
// nodes: that is no failure.
func (p *program) readNodes(dirs []string) (nodes []devnodes.Node, err error) {
	for _, dir := range dirs {
		name := dir + "/modules.devname"
		data, err := kmod.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			p.log.raw(name + " not found - ignoring")
			continue
		}
		if err != nil {
			return nil, err
		}
		more, err := devnodes.ReadModulesDevname(bytes.NewReader(data), name)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, more...)
	}
	return nodes, nil
}

func writeNodesJSON(w io.Writer, nodes []devnodes.Node) error {
	out := writer{hold: true}
	list := jsonList{enabled: true, w: &out}
	for _, n := range nodes {
		list.item(pair{"node", "/dev/" + n.Name}, pair{"type", string(rune(n.Type))}, pair{"major", int(n.Major)}, pair{"minor", int(n.Minor)})
	}
	list.end()
	_, err := w.Write(out.buf)
	return err
}

// writeOutput makes a file and the directories above it.
func writeOutput(path string, data []byte) error {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			if err := os.Mkdir(path[:i], 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	}
	return os.WriteFile(path, data, 0o644)
}
