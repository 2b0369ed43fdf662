package cli

import (
	"bytes"
	"fmt"

	"github.com/sirupsen/logrus"
)

// sentence prints a log entry as firn speaks to people: one line that begins
// with the program's name. libcontainer's own entries come out the same way.
type sentence struct{}

func (sentence) Format(e *logrus.Entry) ([]byte, error) {
	var line bytes.Buffer
	line.WriteString("firn: ")
	if e.Level <= logrus.WarnLevel {
		line.WriteString("warning: ")
	}
	line.WriteString(e.Message)
	for name, value := range e.Data {
		fmt.Fprintf(&line, " %s=%v", name, value)
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}

// setUpLog is called once, before the first verb runs.
func setUpLog() {
	logrus.SetFormatter(sentence{})
	logrus.SetLevel(logrus.WarnLevel)
}

// warn tells what is not as it should be; the work goes on.
func warn(text string) { logrus.Warn(text) }
