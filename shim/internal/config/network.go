package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Network is the [Network] section and its command line options. It is parsed
// and validated here; a program that cannot apply it must refuse a Network for
// which Asked returns an Origin.
type Network struct {
	Private              Value[bool]   `json:",omitzero"`
	VirtualEthernet      Value[bool]   `json:",omitzero"`
	VirtualEthernetExtra []VethPair    `json:",omitempty"`
	Interface            []Link        `json:",omitempty"`
	MACVLAN              []Link        `json:",omitempty"`
	IPVLAN               []Link        `json:",omitempty"`
	Bridge               Value[string] `json:",omitzero"`
	Zone                 Value[string] `json:",omitzero"` // without the "vz-"
	NamespacePath        Value[string] `json:",omitzero"`
	Port                 []Port        `json:",omitempty"`
}

// VethPair is HOST[:CONTAINER], both names filled in.
type VethPair struct {
	Host, Container string
	From            Origin
}

// Link is an interface of the host and its name in the container.
type Link struct {
	Host      string
	Container string // empty: the kind's own default
	From      Origin
}

// Port is one published port.
type Port struct {
	Protocol        string // tcp or udp
	Host, Container uint16
	From            Origin
}

// Asked returns the first setting that wants something other than the host's
// network, and whether there is one.
func (n *Network) Asked() (Origin, bool) {
	for _, v := range []Value[bool]{n.Private, n.VirtualEthernet} {
		if v.V {
			return v.From, true
		}
	}
	for _, v := range []Value[string]{n.Bridge, n.Zone, n.NamespacePath} {
		if v.Set {
			return v.From, true
		}
	}
	if len(n.VirtualEthernetExtra) > 0 {
		return n.VirtualEthernetExtra[0].From, true
	}
	for _, links := range [][]Link{n.Interface, n.MACVLAN, n.IPVLAN} {
		if len(links) > 0 {
			return links[0].From, true
		}
	}
	if len(n.Port) > 0 {
		return n.Port[0].From, true
	}
	return Origin{}, false
}

// maxInterface is IFNAMSIZ less the final NUL.
const maxInterface = 15

// checkInterface applies the kernel's rules for interface names, and those of
// systemd: no number alone, which would be an index, and no "%", a pattern.
func checkInterface(s string) error {
	switch {
	case s == "":
		return errors.New("interface name is empty")
	case len(s) > maxInterface:
		return fmt.Errorf("interface name longer than %d characters", maxInterface)
	case s == "." || s == ".." || s == "all" || s == "default" || strings.Trim(s, "0123456789") == "":
		return errors.New("not an interface name")
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte("/:%", c) >= 0 {
			return fmt.Errorf("not an interface name: character %q", printable(string(rune(c))))
		}
	}
	return nil
}

func parseBridge(s string) (string, error) { return s, checkInterface(s) }

// parseZone checks a name that stands behind "vz-" in an interface name.
func parseZone(s string) (string, error) {
	if err := checkInterface("vz-" + s); err != nil || s == "" {
		return "", errors.New(`not a zone name: "vz-" and it must make an interface name`)
	}
	return s, nil
}

// setVethExtra takes HOST[:CONTAINER].
func setVethExtra(b *build, value string, from Origin) error {
	host, container, pair := strings.Cut(value, ":")
	if !pair {
		container = host
	}
	if err := checkInterface(host); err != nil {
		return err
	}
	if err := checkInterface(container); err != nil {
		return err
	}
	n := &b.c.Network
	n.VirtualEthernetExtra = append(n.VirtualEthernetExtra, VethPair{Host: host, Container: container, From: from})
	return nil
}

// links makes the setter of a list of HOST[:CONTAINER], separated by blanks.
func links(field func(*Network) *[]Link) setter {
	return func(b *build, value string, from Origin) error {
		list := field(&b.c.Network)
		for word := range strings.FieldsSeq(value) {
			host, container, pair := strings.Cut(word, ":")
			if err := checkInterface(host); err != nil {
				return err
			}
			if pair {
				if err := checkInterface(container); err != nil {
					return err
				}
			}
			*list = append(*list, Link{Host: host, Container: container, From: from})
		}
		return nil
	}
}

// setPort takes [PROTOCOL:]HOST[:CONTAINER].
func setPort(b *build, value string, from Origin) error {
	p := Port{Protocol: "tcp", From: from}
	rest := value
	for _, protocol := range []string{"tcp", "udp"} {
		if after, ok := strings.CutPrefix(value, protocol+":"); ok {
			p.Protocol, rest = protocol, after
		}
	}
	host, container, pair := strings.Cut(rest, ":")
	if !pair {
		container = host
	}
	var err error
	if p.Host, err = parsePort(host); err != nil {
		return err
	}
	if p.Container, err = parsePort(container); err != nil {
		return err
	}
	b.c.Network.Port = append(b.c.Network.Port, p)
	return nil
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("not a port: [tcp:|udp:]HOST[:CONTAINER], each from 1 to 65535")
	}
	return uint16(n), nil
}

// isZero tells whether nothing was said about the network.
func (n *Network) isZero() bool {
	return !n.Private.Set && !n.VirtualEthernet.Set && !n.Bridge.Set && !n.Zone.Set && !n.NamespacePath.Set &&
		len(n.VirtualEthernetExtra)+len(n.Interface)+len(n.MACVLAN)+len(n.IPVLAN)+len(n.Port) == 0
}

// private tells whether the settings make a network namespace of the
// container's own; all but NamespacePath and Port imply it.
func (n *Network) private() bool {
	return n.Private.V || n.VirtualEthernet.V || n.Bridge.Set || n.Zone.Set ||
		len(n.VirtualEthernetExtra)+len(n.Interface)+len(n.MACVLAN)+len(n.IPVLAN) > 0
}
