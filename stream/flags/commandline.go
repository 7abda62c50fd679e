package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Gather returns args as kong wants them.
func Gather(model *kong.Application, args []string) ([]string, error) {
	takesValue, command := map[string]bool{}, map[string]bool{}
	for _, node := range append(model.Leaves(false), model.Node) {
		command[node.Name] = node != model.Node
		for _, f := range node.Flags {
			takesValue["--"+f.Name] = !f.IsBool()
			takesValue["-"+string(f.Short)] = !f.IsBool()
		}
	}
	return arrange(args, command, takesValue)
}

// arrange returns the words of a command line with the names together, behind the flags, where
// people write llmpipe a.jsonl -f text b.jsonl, and with a value that begins with a dash in one
// word with its flag. It is told the commands, and which flags, with their dashes, take a value.
func arrange(args []string, command, takesValue map[string]bool) ([]string, error) {
	var first, flags, names []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			names, i = append(names, args[i+1:]...), len(args)
		case len(first)+len(names) == 0 && command[arg]:
			first = append(first, arg)
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			names = append(names, arg)
		default:
			flags = append(flags, arg)
			valued := takesValue[arg]
			for j := 1; j < len(arg) && arg[1] != '-' && !valued; j++ { // -qp TEMPLATE is -q -p TEMPLATE, -pTEMPLATE has its value
				if takesValue["-"+arg[j:j+1]] {
					valued = j == len(arg)-1
					break
				}
			}
			if !valued {
				continue
			}
			if i++; i == len(args) {
				return nil, fmt.Errorf("%s needs a value", arg)
			}
			switch value := args[i]; {
			case !strings.HasPrefix(value, "-"):
				flags = append(flags, value)
			case strings.HasPrefix(arg, "--"):
				flags[len(flags)-1] += "=" + value
			default:
				flags[len(flags)-1] += value
			}
		}
	}
	if len(names) > 0 {
		names = slices.Insert(names, 0, "--")
	}
	return slices.Concat(first, flags, names), nil
}
