package config

import "firn/init/unitfile"

// What systemd-nspawn documents, up to version 261, and firn does not do yet.
// Each has its argument read as systemd-nspawn would, so that the error names
// the option and not the word after it. A setter stands where one value asks
// for nothing (--private-users=no): that value is taken, any other refused.

const (
	topicImage   = "disk images"
	topicOCI     = "OCI bundles"
	topicPivot   = "a second root in the image"
	topicSync    = "suppressing sync"
	topicUsers   = "user namespaces"
	topicNetwork = "private networks"
	topicSeccomp = "system call filters"
	topicSELinux = "SELinux labels"
	topicColor   = "terminal colours"
	topicSecrets = "credentials"
)

var unsupportedImage = []option{
	{name: "image", short: "i", arity: requiredArgument, meta: "PATH", help: "Root file system image", topic: topicImage},
	{name: "image-policy", arity: requiredArgument, meta: "POLICY", help: "What to accept in an image", topic: topicImage},
	{name: "mstack", arity: requiredArgument, meta: "PATH", help: "Mount stack as root", topic: topicImage},
	{name: "oci-bundle", arity: requiredArgument, meta: "PATH", help: "OCI bundle directory", topic: topicOCI},
	{name: "root-hash", arity: requiredArgument, meta: "HASH", help: "Verity root hash", topic: topicImage},
	{name: "root-hash-sig", arity: requiredArgument, meta: "SIG", help: "Signature of the verity root hash", topic: topicImage},
	{name: "verity-data", arity: requiredArgument, meta: "PATH", help: "Verity data", topic: topicImage},
	{name: "pivot-root", arity: requiredArgument, meta: "PATH[:PATH]", help: "Directory of the container to make its root", topic: topicPivot},
}

var unsupportedExecution = []option{
	{name: "suppress-sync", arity: requiredArgument, meta: "BOOL", help: "Make sync(2) and its kin do nothing", values: boolWords, topic: topicSync,
		set: asksNothing(into(func(c *Config) *Value[bool] { return &c.Exec.SuppressSync }, unitfile.ParseBool),
			func(c *Config) bool { return !c.Exec.SuppressSync.V }, topicSync)},
}

func userOptions() []option {
	return []option{
		{name: "private-users", arity: optionalArgument, implied: "yes", meta: "MODE", help: "User namespace and its range of ids", topic: topicUsers,
			set: asksNothing(setPrivateUsers, func(c *Config) bool { return c.Users.Private.V.Mode == UsersNo }, topicUsers)},
		{name: "private-users-ownership", arity: requiredArgument, meta: "MODE", help: "How files get the owners of that range", topic: topicUsers,
			set: asksNothing(setOwnership, func(c *Config) bool { return !changesOwners(c.Users.Ownership.V) }, topicUsers)},
		{name: "private-users-chown", help: "Old form of --private-users-ownership=chown", topic: topicUsers},
		{name: "private-users-delegate", arity: requiredArgument, meta: "NUMBER", help: "Delegate ranges of ids to the container", topic: topicUsers},
		{short: "U", help: "User namespace with a range that firn picks", topic: topicUsers},
	}
}

func networkOptions() []option {
	return []option{
		{name: "private-network", help: "No interface but the loopback", topic: topicNetwork},
		{name: "network-interface", arity: requiredArgument, meta: "HOSTIF[:CONTAINERIF]", help: "Move an interface into the container", topic: topicNetwork},
		{name: "network-macvlan", arity: requiredArgument, meta: "HOSTIF[:CONTAINERIF]", help: "Add a macvlan of an interface", topic: topicNetwork},
		{name: "network-ipvlan", arity: requiredArgument, meta: "HOSTIF[:CONTAINERIF]", help: "Add an ipvlan of an interface", topic: topicNetwork},
		{name: "network-veth", short: "n", help: "Add a virtual Ethernet link to the host", topic: topicNetwork},
		{name: "network-veth-extra", arity: requiredArgument, meta: "HOSTIF[:CONTAINERIF]", help: "Add a further virtual Ethernet link", topic: topicNetwork},
		{name: "network-bridge", arity: requiredArgument, meta: "INTERFACE", help: "Attach the virtual Ethernet link to a bridge", topic: topicNetwork},
		{name: "network-zone", arity: requiredArgument, meta: "NAME", help: "Attach it to a bridge that firn keeps", topic: topicNetwork},
		{name: "network-namespace-path", arity: requiredArgument, meta: "PATH", help: "Join a network namespace", topic: topicNetwork},
		{name: "port", short: "p", arity: requiredArgument, meta: "[PROTOCOL:]HOSTPORT[:CONTAINERPORT]", help: "Publish a port of the container", topic: topicNetwork},
	}
}

var unsupportedSecurity = []option{
	{name: "system-call-filter", arity: requiredArgument, meta: "LIST|~LIST", help: "Allow or forbid system calls", topic: topicSeccomp},
	{name: "restrict-address-families", arity: requiredArgument, meta: "LIST", help: "Limit socket(2) to these families", topic: topicSeccomp},
	{name: "selinux-context", short: "Z", arity: requiredArgument, meta: "LABEL", help: "Label of the container's processes", topic: topicSELinux},
	{name: "selinux-apifs-context", short: "L", arity: requiredArgument, meta: "LABEL", help: "Label of the container's API file systems", topic: topicSELinux},
}

var unsupportedMounts = []option{
	{name: "bind-user", arity: requiredArgument, meta: "NAME", help: "Bind a user of the host", topic: topicUsers},
	{name: "bind-user-shell", arity: requiredArgument, meta: "BOOL|PATH", help: "Shell of bound users", topic: topicUsers},
	{name: "bind-user-group", arity: requiredArgument, meta: "NAME", help: "Group of bound users", topic: topicUsers},
}

var unsupportedConsole = []option{
	{name: "background", arity: requiredArgument, meta: "COLOR", help: "Background colour of the terminal", topic: topicColor,
		set: func(_ *build, value string, _ Origin) error {
			if value != "" {
				return refuse(topicColor)
			}
			return nil // the documented way to ask for no colour
		}},
}

func credentialOptions() []option {
	return []option{
		{name: "set-credential", arity: requiredArgument, meta: "ID:VALUE", help: "Pass a credential", topic: topicSecrets},
		{name: "load-credential", arity: requiredArgument, meta: "ID:PATH", help: "Pass a credential from a file or socket", topic: topicSecrets},
		{name: "import-credential", arity: requiredArgument, meta: "GLOB", help: "Pass on credentials of the caller", topic: topicSecrets},
	}
}

// asksNothing takes a value and then refuses it unless it asks for nothing.
func asksNothing(set setter, idle func(*Config) bool, topic string) setter {
	return func(b *build, value string, from Origin) error {
		if err := set(b, value, from); err != nil {
			return err
		}
		if !idle(b.c) {
			return refuse(topic)
		}
		return nil
	}
}
