package devnodes

// found is what stands in a node's place.
type found struct {
	Node         // Type is 0 for what a Node cannot be: a regular file, a socket
	uid, gid     uint32
	mountRoot    bool // something is mounted here
	emptyRegular bool // a regular file of no bytes, as a bind mount's target is
}

// verdict says what to do about a found file where a Node is wanted.
//
//	found \ wanted       device      link       directory
//	the same             keep        keep       keep
//	wrong mode or owner  correct     keep       correct
//	device, other number replace     replace    foreign
//	link, other target   foreign     replace    foreign
//	mounted device       keep if the number is right, else foreign
//	mounted directory                           keep
//	anything else        foreign     foreign    foreign
//
// A link in a device's place is somebody's decision and stays. Mode and owner of
// a mounted file are those of the file system that it comes from, not ours.
type verdict int

const (
	keep verdict = iota
	correct
	replace
	foreign
)

func judge(f found, want Node, gid uint32) verdict {
	same := f.Type == want.Type
	switch want.Type {
	case Char, Block:
		same = same && f.Major == want.Major && f.Minor == want.Minor
	case Link:
		same = same && f.Target == want.Target
	}
	switch {
	case !same && f.mountRoot:
		return foreign
	case !same && f.Type.IsDevice() && want.Type != Directory:
		return replace
	case !same && f.Type == Link && want.Type == Link:
		return replace
	case !same:
		return foreign
	case f.mountRoot, want.Type == Link:
		return keep
	case f.Mode != want.Mode || f.uid != 0 || f.gid != gid:
		return correct
	}
	return keep
}
