package unit

// Socket is the [Socket] section (systemd.socket(5)) without what Exec, Kill and Cgroup hold.
type Socket struct {
	Listens       []Listen
	Service       Name // Service=; "" stands for the name's own stem
	Accept        bool
	Writable      bool
	FlushPending  bool
	RemoveOnStop  bool
	BindIPv6Only  BindIPv6Only
	Backlog       uint32 // 4294967295 by default: as much as net.core.somaxconn
	BindToDevice  string
	User, Group   string
	SocketMode    uint32 // 0666 by default
	DirectoryMode uint32 // 0755 by default
	Symlinks      []string
	FDName        string // FileDescriptorName=; "" stands for the unit's name, or "connection" with Accept

	MaxConnections          uint32 // 64 by default
	MaxConnectionsPerSource uint32 // 0: MaxConnections
	TriggerLimitInterval    Span   // 2 s by default; 0: no limit
	TriggerLimitBurst       uint32 // 0: 200 with Accept, else 20
	Timeout                 Span   // TimeoutSec=, of the commands; Infinity: none

	Commands [ExecPhases][]Command // ExecStartPre, ExecStartPost, ExecStopPre, ExecStopPost

	Options SocketOptions
}

// Listen is one Listen...=.
type Listen struct {
	Kind ListenKind
	// Address is a path, "@NAME", "PORT", "IPv4:PORT", "[IPv6]:PORT", "vsock:CID:PORT", a netlink family with a group, or
	// "TYPE" of USB; as written, checked.
	Address string
}

// ListenKind is the setting that a Listen comes from.
type ListenKind uint8

// Kinds of sockets and what is passed like one.
const (
	ListenStream ListenKind = iota
	ListenDatagram
	ListenSequentialPacket
	ListenFIFO
	ListenSpecial
	ListenNetlink
	ListenMessageQueue
	ListenUSBFunction
)

func (k ListenKind) String() string {
	return [...]string{"Stream", "Datagram", "SequentialPacket", "FIFO", "Special", "Netlink", "MessageQueue",
		"USBFunction"}[k]
}

// BindIPv6Only is BindIPv6Only=.
type BindIPv6Only uint8

// Values of BindIPv6Only=.
const (
	BindDefault BindIPv6Only = iota
	BindBoth
	BindIPv6
)

// SocketOptions are what is set on the sockets themselves. A number of -1 is not set.
type SocketOptions struct {
	KeepAlive, NoDelay, FreeBind, Transparent, Broadcast, ReusePort bool
	PassCredentials, PassSecurity, PassPacketInfo                   bool
	Timestamping                                                    Timestamping
	KeepAliveTime, KeepAliveInterval, DeferAccept                   Span // 0: not set
	KeepAliveProbes                                                 uint32
	Priority, IPTOS, IPTTL, Mark                                    int32
	MQMaxMessages, MQMessageSize                                    int64
	ReceiveBuffer, SendBuffer, PipeSize                             uint64 // 0: not set
	TCPCongestion                                                   string
	UDPLite, SCTP                                                   bool // SocketProtocol=
}

// Timestamping is Timestamping=.
type Timestamping uint8

// Values of Timestamping=.
const (
	TimestampOff Timestamping = iota
	TimestampMicro
	TimestampNano
)
