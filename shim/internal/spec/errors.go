package spec

import "errors"

// ErrNoInit says that the root holds nothing that --boot could start.
var ErrNoInit = errors.New("no init in the root: looked for /usr/lib/systemd/systemd, /lib/systemd/systemd, /sbin/init, /init")
