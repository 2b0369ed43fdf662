package unit

// Support tells what firn does with a setting.
type Support uint8

// Support, from best to worst.
const (
	Supported   Support = iota
	Ignored             // on purpose: Reason says why nothing is lost
	Unsupported         // systemd would act on it and firn does not, yet or ever: Reason says what is missing
)

func (s Support) String() string { return [...]string{"supported", "ignored", "unsupported"}[s] }

// Setting is one row of the table of settings.
type Setting struct {
	Section string
	Key     string
	Support Support
	Reason  string // of Ignored and Unsupported, in a few words
}

func (s *Setting) String() string { return s.Section + "." + s.Key }
