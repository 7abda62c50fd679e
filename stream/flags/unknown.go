package flags

import (
	"errors"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"llmpipe/stream/naming"
	"llmpipe/stream/ui"
)

// unknownFlag returns the error for a flag that a command does not have. command is nil for the
// filter. value is what follows the flag.
func unknownFlag(command *kong.Node, known []string, flag, value string) error {
	says, help := "unknown flag "+naming.Short(flag), "llmpipe --help all lists the flags"
	if command != nil {
		says, help = "llmpipe "+command.Name+" has no flag "+naming.Short(flag), "llmpipe "+command.Name+" --help lists its flags"
	}
	hint := help
	meant := strings.ReplaceAll(flag, "_", "-") // --max_line
	if strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "--") && len(flag) > 2 {
		meant = "-" + flag // -model
	}
	switch near := nearestFlag(meant, known); {
	case slices.Contains(known, meant):
		hint = "it is written " + meant
	case takesForeign(command) && foreignHint(meant, value) != "":
		hint = foreignHint(meant, value)
	case command != nil && command.Name == "sim" && slices.Contains([]string{"--port", "-p", "--host", "--addr", "--address"}, meant):
		hint = "name the address with --listen 127.0.0.1:8089"
	case near != "":
		hint = "did you mean " + near + "? " + help
	}
	return ui.WithHint(hint, errors.New(says))
}

// takesForeign reports whether a command has the filter's flags, which are the ones that people
// confuse with other programs' flags.
func takesForeign(command *kong.Node) bool { return command == nil || command.Name == "estimate" }

// nearestFlag returns the flag that a misspelt one was probably meant to be.
func nearestFlag(flag string, known []string) string {
	name, ok := strings.CutPrefix(flag, "--")
	if !ok {
		return ""
	}
	var long []string
	for _, k := range known {
		if name, ok := strings.CutPrefix(k, "--"); ok {
			long = append(long, name)
		}
	}
	if name = naming.Nearest(name, long); name == "" {
		return ""
	}
	return "--" + name
}
