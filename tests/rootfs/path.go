package rootfs

// DebianDir returns where PrepareDebian makes the Debian root, for those who
// turn it into something else, such as a disk.
func DebianDir() (string, error) { return debianDir() }
