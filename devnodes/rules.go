package devnodes

import "path"

// rule is what udev would give a node that it has not seen an event for. Without
// a rule a node stays as the kernel makes it: 0600 root:root.
type rule struct {
	pattern string // path.Match, below /dev
	mode    uint32
	group   string
}

// rules are the modes and groups of systemd's 50-udev-default.rules (252 to
// 257), for the nodes that modules.devname may name: the lines with
// OPTIONS+="static_node=..." and those that match a node of a loadable module.
// A rule that gives a group and no mode means 0660 (udev(7), GROUP). The first
// match wins.
var rules = []rule{
	{"fuse", 0o666, ""},               // KERNEL=="fuse"
	{"net/tun", 0o666, ""},            // KERNEL=="tun"
	{"vfio/vfio", 0o666, ""},          // KERNEL=="vfio"
	{"vsock", 0o666, ""},              // KERNEL=="vsock"
	{"snd/*", 0o660, "audio"},         // SUBSYSTEM=="sound"
	{"loop-control", 0o660, "disk"},   // KERNEL=="loop-control"
	{"btrfs-control", 0o660, "disk"},  // KERNEL=="btrfs-control"
	{"kvm", 0o666, "kvm"},             // KERNEL=="kvm", upstream's dev-kvm-mode; Debian builds with 0660
	{"vhost-net", 0o660, "kvm"},       // KERNEL=="vhost-net"
	{"vhost-vsock", 0o660, "kvm"},     // KERNEL=="vhost-vsock"
	{"udmabuf", 0o660, "kvm"},         // KERNEL=="udmabuf"
	{"rfkill", 0o664, ""},             // KERNEL=="rfkill"
	{"pktcdvd", 0o660, "cdrom"},       // KERNEL=="pktcdvd"
	{"pktcdvd/*", 0o660, "cdrom"},     // KERNEL=="pktcdvd[0-9]*"
	{"lp[0-9]*", 0o660, "lp"},         // KERNEL=="lp[0-9]*"
	{"parport[0-9]*", 0o660, "lp"},    // KERNEL=="parport[0-9]*"
	{"dri/renderD*", 0o660, "render"}, // SUBSYSTEM=="drm", KERNEL=="renderD*"
	{"dri/*", 0o660, "video"},         // SUBSYSTEM=="drm"
	{"input/*", 0o660, "input"},       // SUBSYSTEM=="input"
}

// Defaults returns the nodes with the mode and group that udev's default rules
// give them. Links and directories stay as they are.
func Defaults(nodes []Node) []Node {
	out := make([]Node, len(nodes))
	for i, n := range nodes {
		if r, ok := ruleOf(n.Name); ok && n.Type.IsDevice() {
			n.Mode, n.Group = r.mode, r.group
		}
		out[i] = n
	}
	return out
}

func ruleOf(name string) (rule, bool) {
	for _, r := range rules {
		if ok, err := path.Match(r.pattern, name); err == nil && ok {
			return r, true
		}
	}
	return rule{}, false
}
