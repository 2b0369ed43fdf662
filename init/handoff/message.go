// Package handoff is the conversation between firn's host shim and firn-init, PID 1 of the container: its
// messages, their codec, and both ends of the socket that carries them. Input and output are lines on a
// connected unix stream socket; the stage stands between shim/internal/lifecycle and init/ in the data flow.
//
// # Grammar
//
//	stream   = { line }
//	line     = object LF                     at most MaxLine bytes with the LF
//	object   = one JSON object (RFC 8259) in UTF-8:
//	  "v"       number   major version of the protocol, 1; anything else ends the conversation
//	  "type"    string   one of the types below
//	  "id"      number   of a request and of the answer to it, 1 and up; 0 or absent: no answer is awaited
//	  "minor"   number   hello and its ack: newest minor version that the sender speaks
//	  "boot"    string   hello: random id of this boot of the container, 32 hex digits
//	  "mode"    string   hello: "boot" or "command"
//	  "text"    string   status, error, denied, ack: a sentence for people, one line, no control characters
//	  "code"    string   error: class of the error, see Code
//	  "system"  string   reload: absolute path of the system to activate
//	  "module"  string   load-module: name or alias of a kernel module
//	  "exit"    object   exit: {"code":N} or {"signal":N} of the main command
//	  "action"  string   exit: what PID 1 does next: "halt", "poweroff", "reboot" or "exit"
//
// Members that are not known are ignored and types that are not known are answered with an error of code
// "unsupported", so a newer minor version may add both. A new meaning of an old member needs a new major.
//
// # Sequence
//
//	type         from  awaits               meaning
//	hello        init  ack | error          first message of each connection; after a reconnect again
//	ready        init  -                    boot is done (said again after a reconnect's hello)
//	status       init  -                    what init does just now, replaces the one before
//	load-module  init  loaded | denied      asks the host to load a module; the host's allow-list decides
//	exit         init  -                    last message before reboot(2) or exit(2)
//	halt         shim  ack | error          stop everything and halt; acknowledged when begun
//	poweroff     shim  ack | error          the same, power off
//	reboot       shim  ack | error          the same, reboot
//	reload       shim  ack | error          activate the system at "system"; answered when that has ended
//	units        shim  error                reserved for control of units
//	ack          both  -                    request "id" is done or begun as its row says
//	error        both  -                    request "id" was not done; id 0: about a message that had none
//	loaded       shim  -                    request "id": the module is in the kernel
//	denied       shim  -                    request "id": refused by the host, "text" says why
//
// Ids are chosen by the sender of a request; each direction counts its own. No answer is awaited for exit: what
// was written to a unix stream socket stays readable after its writer's end.
package handoff

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Version of the protocol that this package speaks.
const (
	Major = 1
	Minor = 0
)

// MaxLine is the most bytes that a message may take on the wire, its line feed included.
const MaxLine = 64 << 10

// DefaultPath is where a container finds the shim's socket.
const DefaultPath = "/run/host/firn/handoff.sock"

// Type names what a message says; the package comment has the table.
type Type string

// Message types; see the sequence table at the head of this file.
const (
	Hello      Type = "hello"
	Ready      Type = "ready"
	Status     Type = "status"
	LoadModule Type = "load-module"
	Exit       Type = "exit"
	Halt       Type = "halt"
	Poweroff   Type = "poweroff"
	Reboot     Type = "reboot"
	Reload     Type = "reload"
	Units      Type = "units"
	Ack        Type = "ack"
	Error      Type = "error"
	Loaded     Type = "loaded"
	Denied     Type = "denied"
)

// Code is the class of an error message.
type Code string

// Error codes. A code that is not known counts as Internal.
const (
	Unsupported Code = "unsupported" // the other end does not know or offer this
	Invalid     Code = "invalid"     // the message breaks the grammar or lacks a member
	Mismatch    Code = "version"     // major versions differ
	Busy        Code = "busy"        // a request of this kind is still running, or a halt has begun
	Internal    Code = "internal"    // tried, and it went wrong: the text says how
)

// Mode tells what firn-init was started for.
type Mode string

// Modes of firn-init.
const (
	BootMode    Mode = "boot"
	CommandMode Mode = "command"
)

// ExitStatus is how the main command ended: by a code, or by a signal if Signal is not 0.
type ExitStatus struct {
	Code   int `json:"code,omitempty"`
	Signal int `json:"signal,omitempty"`
}

// Message is one line of the conversation. Which members count is said by the package comment.
type Message struct {
	V      int         `json:"v"`
	Type   Type        `json:"type"`
	ID     uint64      `json:"id,omitempty"`
	Minor  int         `json:"minor,omitempty"`
	Boot   string      `json:"boot,omitempty"`
	Mode   Mode        `json:"mode,omitempty"`
	Text   string      `json:"text,omitempty"`
	Code   Code        `json:"code,omitempty"`
	System string      `json:"system,omitempty"`
	Module string      `json:"module,omitempty"`
	Exit   *ExitStatus `json:"exit,omitempty"`
	Action string      `json:"action,omitempty"`
}

// kinds holds for each type what its message must carry; a nil check asks for nothing.
var kinds = map[Type]func(*Message) error{
	Hello:      checkHello,
	Ready:      nil,
	Status:     nil,
	LoadModule: checkModule,
	Exit:       checkExit,
	Halt:       nil,
	Poweroff:   nil,
	Reboot:     nil,
	Reload:     checkReload,
	Units:      nil,
	Ack:        nil,
	Error:      nil,
	Loaded:     nil,
	Denied:     nil,
}

// Known reports whether the type is one of this package's.
func (t Type) Known() bool {
	_, ok := kinds[t]
	return ok
}

// Answer reports whether messages of this type answer a request.
func (t Type) Answer() bool {
	return t == Ack || t == Error || t == Loaded || t == Denied
}

// Check says what a message of a known type lacks; a message of an unknown type passes.
func (m *Message) Check() error {
	if check := kinds[m.Type]; check != nil {
		if err := check(m); err != nil {
			return fmt.Errorf("%s: %w", m.Type, err)
		}
	}
	return nil
}

// Acknowledge answers a request that was done, or begun.
func Acknowledge(m Message, text string) Message {
	return Message{Type: Ack, ID: m.ID, Text: text}
}

// Refuse answers a request that was not done.
func Refuse(m Message, code Code, text string) Message {
	return Message{Type: Error, ID: m.ID, Code: code, Text: text}
}

// Unknown is the answer to a message whose type the receiver does not know or does not offer.
func Unknown(m Message) Message {
	return Refuse(m, Unsupported, fmt.Sprintf("message type %.40q is not supported", string(m.Type)))
}

func checkHello(m *Message) error {
	if len(m.Boot) != 32 || strings.Trim(m.Boot, "0123456789abcdef") != "" {
		return fmt.Errorf("%w: boot id of 32 hex digits", ErrMember)
	}
	if m.Mode != BootMode && m.Mode != CommandMode {
		return fmt.Errorf("%w: mode", ErrMember)
	}
	return nil
}

// checkModule accepts what may stand for a module: a name, or an alias such as net-pf-10 or pci:v00001AF4d*.
// The name ends on the host's side, so nothing that reads as an option, a path or a second word passes.
func checkModule(m *Message) error {
	if m.Module == "" || len(m.Module) > 255 || strings.HasPrefix(m.Module, "-") {
		return fmt.Errorf("%w: module", ErrMember)
	}
	for _, r := range m.Module {
		if r <= ' ' || r >= 0x7f || r == '/' {
			return fmt.Errorf("%w: module %q", ErrMember, m.Module)
		}
	}
	return nil
}

func checkExit(m *Message) error {
	if m.Exit == nil || m.Exit.Code < 0 || m.Exit.Code > 255 || m.Exit.Signal < 0 || m.Exit.Signal > 64 {
		return fmt.Errorf("%w: exit", ErrMember)
	}
	return nil
}

func checkReload(m *Message) error {
	if !strings.HasPrefix(m.System, "/") || len(m.System) > 4096 || strings.ContainsRune(m.System, 0) {
		return fmt.Errorf("%w: absolute path of a system", ErrMember)
	}
	return nil
}

// plain makes text fit for a terminal and a log line: the other end may be hostile, and its words are shown to
// people. Control characters, line ends and invalid UTF-8 become U+FFFD.
func plain(text string) string {
	clean := func(r rune) rune {
		if !unicode.IsPrint(r) && r != utf8.RuneError {
			return utf8.RuneError
		}
		return r
	}
	return strings.Map(clean, text)
}
