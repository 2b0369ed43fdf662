package devnodes

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
)

// Groups maps a group's name to its number in the system whose /dev is made.
// The numbers differ between distributions (audio is 17 on NixOS, 29 on
// Debian), so that they always come from that system's own /etc/group.
type Groups map[string]uint32

// ReadGroups reads group(5): NAME ":" PASSWORD ":" GID ":" MEMBERS. Lines of
// another form are passed over, as getgrent(3) does; of two lines of one name
// the first counts.
func ReadGroups(r io.Reader) (Groups, error) {
	groups := Groups{}
	br := bufio.NewReaderSize(r, maxLine)
	for start := true; ; {
		// A group of many members is longer than the buffer, but its number
		// stands at the front: the rest of the line is passed over.
		line, more, err := br.ReadLine()
		if err == io.EOF {
			return groups, nil
		}
		if err != nil {
			return groups, err
		}
		if start {
			groups.add(line)
		}
		start = !more
	}
}

func (g Groups) add(line []byte) {
	fields := bytes.SplitN(line, []byte(":"), 4)
	if len(fields) < 4 || len(fields[0]) == 0 {
		return
	}
	gid, err := strconv.ParseUint(string(fields[2]), 10, 32)
	if err != nil {
		return
	}
	name := string(fields[0])
	if _, ok := g[name]; !ok {
		g[name] = uint32(gid)
	}
}

// LoadGroups reads the groups of a system from its /etc/group.
func LoadGroups(file string) (Groups, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	groups, err := ReadGroups(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return groups, nil
}
