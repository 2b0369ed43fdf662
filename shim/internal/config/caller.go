package config

// Caller is what parsing needs to know of the process that was called. It is
// passed in so that the package itself reads nothing.
type Caller struct {
	// Dir is the working directory, absolute: relative paths start there.
	Dir string
	// LookupEnv finds a variable that --setenv=NAME passes on; nil means that
	// none is set. It has os.LookupEnv's form.
	LookupEnv func(name string) (string, bool)
}
