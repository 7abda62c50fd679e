package flags

import (
	"errors"
	"fmt"
	"regexp"

	"llmpipe/stream/provider/key"
	"llmpipe/stream/ui"
)

// noKey is the value of --key-env that sends no key even if the usual variable has one.
const noKey = "none"

// variableForm matches the names that shells allow for variables.
var variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// errNotSet says that a variable that the command line names is not set.
var errNotSet = errors.New("the variable is not set")

// errNoName says that the text in place of a variable's name cannot be one. It may be the secret
// itself.
var errNoName = errors.New("it takes the name of a variable, and this is not one")

// variable returns the value of a variable that the command line names, and an error if it has
// none.
func variable(name string, getenv func(string) string) (string, error) {
	if !variableForm.MatchString(name) {
		return "", ui.WithHint("keep the secret itself out of the command line, where others can see it: "+
			"export NAME=… and give the name", errNoName)
	}
	value := getenv(name)
	if value == "" {
		return "", ui.WithHint("export "+shownVariable(name)+"=… sets it", errNotSet)
	}
	return value, nil
}

// keyIn returns the key in a variable that the command line names.
func keyIn(name string, getenv func(string) string) (string, error) {
	value, err := variable(name, getenv)
	if err != nil {
		return "", err
	}
	text, err := key.Clean(value)
	switch {
	case err != nil:
		return "", fmt.Errorf("the key in the variable %w", err)
	case text == "":
		return "", errors.New("the variable holds only white space")
	}
	return text, nil
}

// shownVariable returns a variable's name as people may see it. Text that does not look like a name
// may be the secret, and is not shown.
func shownVariable(name string) string {
	if ui.IsVariableName(name) {
		return name
	}
	return "NAME"
}
