package rootfs

import (
	"maps"
	"slices"
)

// activateScript does what the activation of a small NixOS does: /etc out of the
// system's etc, the two programs that scripts expect outside the store, the link
// to the running system.
const activateScript = `#!@sh@
PATH=@path@/bin
system=$(dirname "$(readlink -f "$0")")

mkdir -p -m 0755 /etc /bin /usr/bin /var/empty /var/log /root
mkdir -p -m 1777 /tmp
ln -sfn @etc@ /etc/static
for file in /etc/static/*; do
	name=${file##*/}
	ln -sfn "/etc/static/$name" "/etc/.$name.tmp" && mv -T "/etc/.$name.tmp" "/etc/$name" || exit 1
done
ln -sfn @sh@ /bin/sh
ln -sfn @path@/bin/env /usr/bin/env
ln -sfn "$system" /run/current-system
`

// etcTree is the etc of a system.
func etcTree(name string) tree {
	return tree{
		"etc/os-release": {data: []byte("ID=nixos\nNAME=NixOS\nPRETTY_NAME=\"NixOS-shaped " + name + "\"\nVERSION_ID=\"25.11\"\n")},
		"etc/passwd":     {data: []byte("root:x:0:0:System administrator:/root:/bin/sh\nnobody:x:65534:65534::/var/empty:/bin/false\n")},
		"etc/group":      {data: []byte("root:x:0:\ntty:x:5:\nnogroup:x:65534:\n")},
		"etc/profile":    {data: []byte("export PATH=/run/current-system/sw/bin\n")},
	}
}

func sortedNames(content tree) []string { return slices.Sorted(maps.Keys(content)) }
