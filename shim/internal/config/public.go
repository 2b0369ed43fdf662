package config

// CheckMachineName tells whether name can be a container's.
func CheckMachineName(name string) error {
	_, err := parseMachine(name)
	return err
}

// ParseSignal reads a signal's number or name, as --kill-signal= takes it.
func ParseSignal(s string) (Signal, error) { return parseSignal(s) }
