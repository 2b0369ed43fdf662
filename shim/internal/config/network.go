package config

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
