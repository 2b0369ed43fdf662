package console

import "time"

// The escape: three ^] (0x1d) in a row, the first and the third within one
// second.
//
//	held  byte             then   forwarded
//	0     ^]               1      yes: it may be meant for the container
//	1     ^]               2      yes
//	2     ^], in time      end    no, nor what follows
//	2     ^], too late     2      yes: the last two may begin an escape
//	any   other            0      yes
const (
	escapeByte   = 0x1d
	escapeWindow = time.Second
)

// escape looks for the escape in what the user types. Its zero value is ready.
type escape struct {
	held  int
	times [2]time.Time // of the last two, the older first
}

// feed takes bytes that came in at one time. It returns those to forward and
// whether the escape was complete after them.
func (e *escape) feed(typed []byte, now time.Time) (forward []byte, complete bool) {
	for i, b := range typed {
		if b != escapeByte {
			e.held = 0
			continue
		}
		if e.held == 2 {
			if now.Sub(e.times[0]) <= escapeWindow {
				return typed[:i], true
			}
			e.times[0], e.times[1] = e.times[1], now
			continue
		}
		e.times[e.held] = now
		e.held++
	}
	return typed, false
}
