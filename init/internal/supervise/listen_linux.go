package supervise

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"firn/init/internal/unit"
)

// errAddress is the error of an address that is not supported.
var errAddress = errors.New("address is not supported")

// listenAll opens all sockets of a unit, or none.
func listenAll(root string, c *unit.Socket) (files []*os.File, err error) {
	for _, l := range c.Listens {
		f, err := listenOne(root, c, l)
		if err != nil {
			for _, f := range files {
				_ = f.Close()
			}
			return nil, fmt.Errorf("Listen%s=%s: %w", l.Kind, l.Address, err)
		}
		files = append(files, f)
	}
	return files, symlinks(root, c)
}

func symlinks(root string, c *unit.Socket) error {
	for _, l := range c.Listens {
		if !strings.HasPrefix(l.Address, "/") {
			continue
		}
		for _, link := range c.Symlinks {
			path := filepath.Join(root, link)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			_ = os.Remove(path)
			if err := os.Symlink(l.Address, path); err != nil {
				return err
			}
		}
		break
	}
	return nil
}

func listenOne(root string, c *unit.Socket, l unit.Listen) (*os.File, error) {
	var fd int
	var err error
	switch l.Kind {
	case unit.ListenStream:
		fd, err = listenSocket(root, c, l.Address, unix.SOCK_STREAM)
	case unit.ListenDatagram:
		fd, err = listenSocket(root, c, l.Address, unix.SOCK_DGRAM)
	case unit.ListenSequentialPacket:
		fd, err = listenSocket(root, c, l.Address, unix.SOCK_SEQPACKET)
	case unit.ListenFIFO:
		fd, err = openFIFO(root, c, l.Address)
	case unit.ListenSpecial:
		flags := unix.O_RDONLY
		if c.Writable {
			flags = unix.O_RDWR
		}
		fd, err = unix.Open(filepath.Join(root, l.Address), flags|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	case unit.ListenNetlink:
		fd, err = openNetlink(l.Address)
	default:
		return nil, errAddress
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), l.Address), nil
}

// sockaddr reads an address of a socket; the family is unix.AF_UNIX, AF_INET or AF_INET6.
func sockaddr(root, address string) (unix.Sockaddr, int, error) {
	if strings.HasPrefix(address, "/") {
		return &unix.SockaddrUnix{Name: filepath.Join(root, address)}, unix.AF_UNIX, nil
	}
	if strings.HasPrefix(address, "@") {
		return &unix.SockaddrUnix{Name: address}, unix.AF_UNIX, nil
	}
	if port, err := strconv.ParseUint(address, 10, 16); err == nil {
		return &unix.SockaddrInet6{Port: int(port)}, unix.AF_INET6, nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, 0, errAddress
	}
	if ap.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}, unix.AF_INET, nil
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16()}, unix.AF_INET6, nil
}

func listenSocket(root string, c *unit.Socket, address string, typ int) (fd int, err error) {
	sa, family, err := sockaddr(root, address)
	if err != nil {
		return -1, err
	}
	fd, err = unix.Socket(family, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EAFNOSUPPORT) && family == unix.AF_INET6 && sa.(*unix.SockaddrInet6).Addr == [16]byte{} {
		// No IPv6 in this kernel: a bare port is IPv4's then (systemd.socket(5), ListenStream=).
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: sa.(*unix.SockaddrInet6).Port}
		fd, err = unix.Socket(family, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	}
	if err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	if err := setOptions(fd, family, c); err != nil {
		return -1, err
	}
	if err := bind(root, fd, family, sa, address, c); err != nil {
		return -1, err
	}
	if typ == unix.SOCK_DGRAM {
		return fd, nil
	}
	return fd, unix.Listen(fd, int(min(c.Backlog, 1<<31-1)))
}

// bind also makes the directory and sets mode and owner of a socket in the file system. One that is there from an earlier
// start goes first.
func bind(root string, fd, family int, sa unix.Sockaddr, address string, c *unit.Socket) error {
	if family != unix.AF_UNIX || address[0] == '@' {
		return unix.Bind(fd, sa)
	}
	path := filepath.Join(root, address)
	if err := makeParents(path, c); err != nil {
		return err
	}
	old := unix.Umask(0o777 &^ int(c.SocketMode))
	err := unix.Bind(fd, sa)
	if errors.Is(err, unix.EADDRINUSE) {
		if info, serr := os.Lstat(path); serr == nil && info.Mode().Type() == fs.ModeSocket {
			_ = os.Remove(path)
			err = unix.Bind(fd, sa)
		}
	}
	unix.Umask(old)
	if err != nil {
		return err
	}
	return own(root, path, c)
}

func makeParents(path string, c *unit.Socket) error {
	return os.MkdirAll(filepath.Dir(path), fs.FileMode(c.DirectoryMode&0o777))
}

// own sets mode, owner and group of what stands in the file system.
func own(root, path string, c *unit.Socket) error {
	if err := os.Chmod(path, fs.FileMode(c.SocketMode&0o777)); err != nil {
		return err
	}
	if c.User == "" && c.Group == "" {
		return nil
	}
	uid, gid, err := lookupOwner(root, c.User, c.Group)
	if err != nil {
		return err
	}
	return os.Lchown(path, uid, gid)
}

func setOptions(fd, family int, c *unit.Socket) error {
	o := c.Options
	type option struct {
		on                bool
		level, opt, value int
	}
	ip := family == unix.AF_INET || family == unix.AF_INET6
	for _, row := range []option{
		{ip, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{o.KeepAlive, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{o.Broadcast, unix.SOL_SOCKET, unix.SO_BROADCAST, 1},
		{o.ReusePort, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1},
		{o.PassCredentials, unix.SOL_SOCKET, unix.SO_PASSCRED, 1},
		{o.PassSecurity, unix.SOL_SOCKET, unix.SO_PASSSEC, 1},
		{o.NoDelay && ip, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{o.FreeBind && ip, unix.IPPROTO_IP, unix.IP_FREEBIND, 1},
		{o.Transparent && ip, unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1},
		{o.ReceiveBuffer > 0, unix.SOL_SOCKET, unix.SO_RCVBUF, int(min(o.ReceiveBuffer, 1<<31-1))},
		{o.SendBuffer > 0, unix.SOL_SOCKET, unix.SO_SNDBUF, int(min(o.SendBuffer, 1<<31-1))},
		{o.Priority >= 0, unix.SOL_SOCKET, unix.SO_PRIORITY, int(o.Priority)},
		{o.Mark >= 0, unix.SOL_SOCKET, unix.SO_MARK, int(o.Mark)},
		{o.IPTTL >= 0 && ip, unix.IPPROTO_IP, unix.IP_TTL, int(o.IPTTL)},
		{o.IPTOS >= 0 && ip, unix.IPPROTO_IP, unix.IP_TOS, int(o.IPTOS)},
		{o.DeferAccept > 0 && ip, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, int(o.DeferAccept.Seconds())},
		{o.KeepAliveTime > 0 && ip, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(o.KeepAliveTime.Seconds())},
		{o.KeepAliveInterval > 0 && ip, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(o.KeepAliveInterval.Seconds())},
		{o.KeepAliveProbes > 0 && ip, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, int(o.KeepAliveProbes)},
		{family == unix.AF_INET6 && c.BindIPv6Only != unit.BindDefault, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only(c.BindIPv6Only)},
	} {
		if !row.on {
			continue
		}
		if err := unix.SetsockoptInt(fd, row.level, row.opt, row.value); err != nil && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("socket option %d: %w", row.opt, err)
		}
	}
	if c.BindToDevice != "" {
		if err := unix.BindToDevice(fd, c.BindToDevice); err != nil {
			return fmt.Errorf("BindToDevice=%s: %w", c.BindToDevice, err)
		}
	}
	return nil
}

func only(b unit.BindIPv6Only) int {
	if b == unit.BindIPv6 {
		return 1
	}
	return 0
}

func openFIFO(root string, c *unit.Socket, address string) (int, error) {
	path := filepath.Join(root, address)
	if err := makeParents(path, c); err != nil {
		return -1, err
	}
	if err := unix.Mkfifo(path, c.SocketMode&0o777); err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, err
	}
	// For reading and writing: so it never ends when a writer goes.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, err
	}
	return fd, own(root, path, c)
}

// netlinkFamilies are the names that ListenNetlink= takes (netlink(7)).
var netlinkFamilies = map[string]int{
	"route": unix.NETLINK_ROUTE, "kobject-uevent": unix.NETLINK_KOBJECT_UEVENT, "audit": unix.NETLINK_AUDIT,
	"netfilter": unix.NETLINK_NETFILTER, "firewall": unix.NETLINK_FIREWALL, "generic": unix.NETLINK_GENERIC,
}

func openNetlink(address string) (int, error) {
	name, group, _ := strings.Cut(address, " ")
	family, ok := netlinkFamilies[name]
	groups, err := strconv.ParseUint("0"+strings.TrimSpace(group), 10, 32)
	if !ok || err != nil {
		return -1, errAddress
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, family)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: uint32(groups)}); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// formatAddress writes an Internet address with its port, empty for any other.
func formatAddress(sa unix.Sockaddr) string {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)).String()
	}
	return ""
}
