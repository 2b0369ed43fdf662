package unit

import (
	"net/netip"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

// socketSettings are the [Socket] section's own (systemd.socket(5)).
func socketSettings() []Setting {
	var rows []Setting
	for kind := ListenStream; kind <= ListenUSBFunction; kind++ {
		row := does("Listen"+kind.String(), each(func(u *Unit) *[]Listen { return &u.Socket.Listens }, one(listen(kind))))
		if kind == ListenUSBFunction {
			row = row.with(Unsupported, "USB gadgets are the host's")
		}
		rows = append(rows, row)
	}
	for _, phase := range []ExecPhase{ExecStartPre, ExecStartPost, ExecStopPre, ExecStopPost} {
		rows = append(rows, does(phase.String(), commands(func(u *Unit) *[]Command { return &u.Socket.Commands[phase] })))
	}
	flag := func(key string, field func(s *Socket) *bool) Setting {
		return does(key, into(func(u *Unit) *bool { return field(u.Socket) }, boolean))
	}
	text := func(key string, field func(s *Socket) *string, read func(*reader, string) (string, error)) Setting {
		return does(key, into(func(u *Unit) *string { return field(u.Socket) }, read))
	}
	count := func(key string, field func(s *Socket) *uint32, read func(*reader, string) (uint32, error)) Setting {
		return does(key, into(func(u *Unit) *uint32 { return field(u.Socket) }, read))
	}
	return append(rows,
		does("Service", into(func(u *Unit) *Name { return &u.Socket.Service }, unitOf(ServiceType))),
		flag("Accept", func(s *Socket) *bool { return &s.Accept }),
		flag("Writable", func(s *Socket) *bool { return &s.Writable }),
		flag("FlushPending", func(s *Socket) *bool { return &s.FlushPending }),
		flag("RemoveOnStop", func(s *Socket) *bool { return &s.RemoveOnStop }),
		does("BindIPv6Only", into(func(u *Unit) *BindIPv6Only { return &u.Socket.BindIPv6Only }, bindIPv6Only)),
		text("BindToDevice", func(s *Socket) *string { return &s.BindToDevice }, expanded),
		text("SocketUser", func(s *Socket) *string { return &s.User }, account),
		text("SocketGroup", func(s *Socket) *string { return &s.Group }, account),
		text("FileDescriptorName", func(s *Socket) *string { return &s.FDName }, descriptorName),
		count("Backlog", func(s *Socket) *uint32 { return &s.Backlog }, unsigned),
		count("SocketMode", func(s *Socket) *uint32 { return &s.SocketMode }, mode),
		count("DirectoryMode", func(s *Socket) *uint32 { return &s.DirectoryMode }, mode),
		count("MaxConnections", func(s *Socket) *uint32 { return &s.MaxConnections }, unsigned),
		count("MaxConnectionsPerSource", func(s *Socket) *uint32 { return &s.MaxConnectionsPerSource }, unsigned),
		does("Symlinks", each(func(u *Unit) *[]string { return &u.Socket.Symlinks }, many(absolute))),
		does("TimeoutSec", into(func(u *Unit) *Span { return &u.Socket.Timeout }, spanOrNever)),
		does("TriggerLimitIntervalSec", into(func(u *Unit) *Span { return &u.Socket.TriggerLimitInterval }, span)),
		does("TriggerLimitBurst", func(r *reader, u *Unit, value string) error {
			r.triggerLimitSet = true
			return into(func(u *Unit) *uint32 { return &u.Socket.TriggerLimitBurst }, unsigned)(r, u, value)
		}),
		does("PollLimitIntervalSec", nil).with(Unsupported, "TriggerLimit...= alone bounds how often"),
		does("PollLimitBurst", nil).with(Unsupported, "TriggerLimit...= alone bounds how often"),
		does("PassFileDescriptorsToExec", nil).with(Unsupported, "commands of sockets do not get the sockets yet"),
	)
}

// socketOptionSettings are what is set on the sockets themselves.
func socketOptionSettings() []Setting {
	flag := func(key string, field func(o *SocketOptions) *bool) Setting {
		return does(key, into(func(u *Unit) *bool { return field(&u.Socket.Options) }, boolean))
	}
	time := func(key string, field func(o *SocketOptions) *Span) Setting {
		return does(key, into(func(u *Unit) *Span { return field(&u.Socket.Options) }, span))
	}
	number := func(key string, field func(o *SocketOptions) *int32, read func(*reader, string) (int32, error)) Setting {
		return does(key, into(func(u *Unit) *int32 { return field(&u.Socket.Options) }, read))
	}
	bytes := func(key string, field func(o *SocketOptions) *uint64) Setting {
		return does(key, into(func(u *Unit) *uint64 { return field(&u.Socket.Options) }, size))
	}
	return append([]Setting{
		flag("KeepAlive", func(o *SocketOptions) *bool { return &o.KeepAlive }),
		flag("NoDelay", func(o *SocketOptions) *bool { return &o.NoDelay }),
		flag("FreeBind", func(o *SocketOptions) *bool { return &o.FreeBind }),
		flag("Transparent", func(o *SocketOptions) *bool { return &o.Transparent }),
		flag("Broadcast", func(o *SocketOptions) *bool { return &o.Broadcast }),
		flag("ReusePort", func(o *SocketOptions) *bool { return &o.ReusePort }),
		flag("PassCredentials", func(o *SocketOptions) *bool { return &o.PassCredentials }),
		flag("PassSecurity", func(o *SocketOptions) *bool { return &o.PassSecurity }),
		flag("PassPacketInfo", func(o *SocketOptions) *bool { return &o.PassPacketInfo }),
		time("KeepAliveTimeSec", func(o *SocketOptions) *Span { return &o.KeepAliveTime }),
		time("KeepAliveIntervalSec", func(o *SocketOptions) *Span { return &o.KeepAliveInterval }),
		time("DeferAcceptSec", func(o *SocketOptions) *Span { return &o.DeferAccept }),
		does("KeepAliveProbes", into(func(u *Unit) *uint32 { return &u.Socket.Options.KeepAliveProbes }, unsigned)),
		number("Priority", func(o *SocketOptions) *int32 { return &o.Priority }, signed),
		number("Mark", func(o *SocketOptions) *int32 { return &o.Mark }, signed),
		number("IPTTL", func(o *SocketOptions) *int32 { return &o.IPTTL }, signed),
		number("IPTOS", func(o *SocketOptions) *int32 { return &o.IPTOS }, typeOfService),
		does("MessageQueueMaxMessages", into(func(u *Unit) *int64 { return &u.Socket.Options.MQMaxMessages }, long)),
		does("MessageQueueMessageSize", into(func(u *Unit) *int64 { return &u.Socket.Options.MQMessageSize }, long)),
		bytes("ReceiveBuffer", func(o *SocketOptions) *uint64 { return &o.ReceiveBuffer }),
		bytes("SendBuffer", func(o *SocketOptions) *uint64 { return &o.SendBuffer }),
		bytes("PipeSize", func(o *SocketOptions) *uint64 { return &o.PipeSize }),
		does("TCPCongestion", into(func(u *Unit) *string { return &u.Socket.Options.TCPCongestion }, expanded)),
		does("Timestamping", into(func(u *Unit) *Timestamping { return &u.Socket.Options.Timestamping }, timestamping)),
		does("SocketProtocol", func(_ *reader, u *Unit, value string) error {
			o := &u.Socket.Options
			o.UDPLite, o.SCTP = value == "udplite", value == "sctp"
			if value != "" && !o.UDPLite && !o.SCTP {
				return choiceError([]string{"udplite", "sctp"})
			}
			return nil
		}),
	}, ignores("security policies are loaded on the host", "SmackLabel", "SmackLabelIPIn", "SmackLabelIPOut", "SELinuxContextFromNet")...)
}

func typeOfService(r *reader, value string) (int32, error) {
	switch value {
	case "low-delay":
		return 0x10, nil
	case "throughput":
		return 0x08, nil
	case "reliability":
		return 0x04, nil
	case "low-cost":
		return 0x02, nil
	}
	n, err := within(0, 255)(r, value)
	return int32(n), err
}

func timestamping(_ *reader, value string) (Timestamping, error) {
	switch value {
	case "off":
		return TimestampOff, nil
	case "us", "usec", "µs", "μs":
		return TimestampMicro, nil
	case "ns", "nsec":
		return TimestampNano, nil
	}
	return 0, choiceError([]string{"off", "us", "ns"})
}

func descriptorName(r *reader, value string) (string, error) {
	name, err := r.expand(value)
	if err == nil && (len(name) > 255 || strings.ContainsAny(name, ":\n")) {
		err = ErrValue
	}
	return name, err
}

func listen(kind ListenKind) func(r *reader, value string) (Listen, error) {
	return func(r *reader, value string) (Listen, error) {
		address, err := r.expand(value)
		if err != nil {
			return Listen{}, err
		}
		switch kind {
		case ListenFIFO, ListenSpecial, ListenUSBFunction:
			address, err = cleanAbsolute(address)
		case ListenMessageQueue:
			if len(address) < 2 || address[0] != '/' || strings.Contains(address[1:], "/") {
				err = ErrPath // mq_overview(7)
			}
		case ListenNetlink:
			err = checkNetlink(address)
		default:
			address, err = checkAddress(address)
		}
		return Listen{kind, address}, err
	}
}

// checkAddress checks the address of a stream, datagram or sequential packet socket.
func checkAddress(s string) (string, error) {
	switch {
	case s == "":
		return "", ErrValue
	case s[0] == '/':
		p, err := cleanAbsolute(s)
		if err == nil && len(p) >= maxUnixPath {
			err = ErrRange
		}
		return p, err
	case s[0] == '@':
		if len(s) < 2 || len(s) > maxUnixPath {
			return "", ErrRange
		}
		return s, nil
	}
	if _, err := parsePort(s); err == nil {
		return s, nil
	}
	if rest, ok := strings.CutPrefix(s, "vsock:"); ok {
		cid, port, ok := strings.Cut(rest, ":")
		_, badPort := strconv.ParseUint(port, 10, 32)
		_, badCID := strconv.ParseUint(cid, 10, 32)
		if !ok || badPort != nil || cid != "" && badCID != nil {
			return "", ErrValue
		}
		return s, nil
	}
	return s, checkIP(s)
}

const maxUnixPath = 108 // sun_path with its NUL

// checkIP checks "IPv4:PORT" and "[IPv6]:PORT", the latter with an interface after "%" or the port.
func checkIP(s string) error {
	if address, port, ok := strings.Cut(s, "]:"); ok && s[0] == '[' {
		port, _, _ = strings.Cut(port, "%")
		ip, err := netip.ParseAddr(address[1:])
		if err != nil || !ip.Is6() {
			return ErrValue
		}
		_, err = parsePort(port)
		return err
	}
	address, port, ok := strings.Cut(s, ":")
	ip, err := netip.ParseAddr(address)
	if !ok || err != nil || !ip.Is4() {
		return ErrValue
	}
	_, err = parsePort(port)
	return err
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, ErrValue
	}
	return uint16(n), nil
}

// netlinkFamilies by name (netlink(7)); the executor knows their numbers.
var netlinkFamilies = map[string]int{"route": 0, "firewall": 3, "inet-diag": 4, "nflog": 5, "xfrm": 6, "selinux": 7,
	"iscsi": 8, "audit": 9, "fib-lookup": 10, "connector": 11, "netfilter": 12, "ip6-fw": 13, "dnrtmsg": 14,
	"kobject-uevent": 15, "scsitransport": 18, "rdma": 20}

// NetlinkFamily gives the number of a ListenNetlink= family, and its group.
func NetlinkFamily(address string) (family int, group uint32, err error) {
	words, err := unitfile.ExtractWords(address, "", 0)
	if err != nil || len(words) == 0 || len(words) > 2 {
		return 0, 0, ErrValue
	}
	family, ok := netlinkFamilies[words[0]]
	if !ok {
		n, err := strconv.ParseUint(words[0], 10, 8)
		if err != nil {
			return 0, 0, ErrValue
		}
		family = int(n)
	}
	if len(words) == 2 {
		n, err := strconv.ParseUint(words[1], 10, 32)
		if err != nil {
			return 0, 0, ErrValue
		}
		group = uint32(n)
	}
	return family, group, nil
}

func checkNetlink(s string) error {
	_, _, err := NetlinkFamily(s)
	return err
}

func bindIPv6Only(r *reader, value string) (BindIPv6Only, error) {
	if only, err := boolean(r, value); err == nil { // older than the words, and still read
		if only {
			return BindIPv6, nil
		}
		return BindBoth, nil
	}
	return choice[BindIPv6Only]("default", "both", "ipv6-only")(r, value)
}
