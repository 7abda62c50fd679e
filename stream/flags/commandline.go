package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"llmpipe/stream/ui"
)

// Gather returns args in the order that kong needs. Flags come before names, although people write
// llmpipe a.jsonl -f text b.jsonl. A value that begins with a dash is in one word with its flag.
// Gather returns an error for a flag that the command does not have.
func Gather(model *kong.Application, args []string) ([]string, error) {
	l := commandLine{flag: map[string]*kong.Flag{}, command: map[string]*kong.Node{}, known: map[string][]string{}}
	for _, node := range append(model.Leaves(false), model.Node) {
		if node != model.Node {
			l.command[node.Name] = node
		}
		for _, f := range node.Flags {
			for _, name := range spellings(f) {
				l.flag[name] = f
				l.known[node.Name] = append(l.known[node.Name], name)
			}
		}
	}
	l.read(args)
	return l.arranged(), l.check(model)
}

// spellings returns the ways to write a flag, with its dashes.
func spellings(f *kong.Flag) []string {
	names := []string{"--" + f.Name}
	if f.Short != 0 {
		names = append(names, "-"+string(f.Short))
	}
	return names
}

// commandLine is a command line that is being read.
type commandLine struct {
	flag    map[string]*kong.Flag // by each of its names, with the dashes
	command map[string]*kong.Node // by its name
	known   map[string][]string   // each command's flags by its name; under the program's name, the flags of all commands

	first, flags, names []string
	used                []usedFlag
}

// usedFlag is a flag on the command line.
type usedFlag struct {
	word  string // the word that holds the flag
	name  string // the flag with its dashes
	value string // what follows the flag, whether or not it takes a value
	last  bool   // nothing follows the flag
}

// read takes the words apart.
func (l *commandLine) read(args []string) {
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			l.names, i = append(l.names, args[i+1:]...), len(args)
		case len(l.first)+len(l.names) == 0 && l.command[arg] != nil:
			l.first = append(l.first, arg)
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			l.names = append(l.names, arg)
		default:
			l.flags = append(l.flags, arg)
			if !l.use(arg, args[i+1:]) || i+1 == len(args) {
				continue
			}
			i++
			switch value := args[i]; {
			case !strings.HasPrefix(value, "-"):
				l.flags = append(l.flags, value)
			case strings.HasPrefix(arg, "--"):
				l.flags[len(l.flags)-1] += "=" + value
			default:
				l.flags[len(l.flags)-1] += value
			}
		}
	}
}

// use notes the flags in a word. It reports whether the last of them takes the next word as its
// value: -qp TEMPLATE is -q -p TEMPLATE, and -pTEMPLATE has its value already.
func (l *commandLine) use(word string, behind []string) (valued bool) {
	f := usedFlag{word: word, name: word, last: len(behind) == 0}
	if !f.last {
		f.value = behind[0]
	}
	if strings.HasPrefix(word, "--") {
		name, value, has := strings.Cut(word, "=")
		if f.name = name; has {
			f.value, f.last = value, false
		}
		l.used = append(l.used, f)
		return !has && l.takesValue(name)
	}
	for j := 1; j < len(word); j++ {
		letter := f
		if letter.name = "-" + word[j:j+1]; j == 1 && (l.flag[letter.name] == nil || l.flag["-"+word] != nil) {
			l.used = append(l.used, f) // a whole word, as in -model
			return false
		}
		valued = l.takesValue(letter.name)
		if rest := word[j+1:]; valued && rest != "" {
			letter.value, letter.last = rest, false
		}
		l.used = append(l.used, letter)
		if valued {
			return j == len(word)-1
		}
	}
	return false
}

// takesValue reports whether a flag is one that takes a value.
func (l *commandLine) takesValue(name string) bool {
	f := l.flag[name]
	return f != nil && !f.IsBool()
}

// check refuses flags that the command does not have, and flags without the value that they need.
func (l *commandLine) check(model *kong.Application) error {
	var command *kong.Node
	of := "run"
	if len(l.first) > 0 && l.first[0] != "run" {
		of = l.first[0]
		command = l.command[of]
	}
	known := slices.Concat(l.known[model.Name], l.known[of])
	for _, f := range l.used {
		switch {
		case !slices.Contains(known, f.name):
			return unknownFlag(command, known, f.name, f.value)
		case l.takesValue(f.name) && f.value == "":
			return noValue(f, l.flag[f.name])
		}
	}
	return nil
}

// noValue returns the error for a flag with no value or an empty one. An empty value usually comes
// from an unset variable, and would otherwise have the same effect as leaving the flag out.
func noValue(used usedFlag, f *kong.Flag) error {
	hint := "write its value after it: " + used.word + " " + f.FormatPlaceHolder()
	switch known := choices["--"+f.Name]; {
	case strings.HasPrefix(f.PlaceHolder, "USD"):
		hint = amountHint
	case !used.last:
		hint = "check that the variable in it is set, or leave " + used.name + " out"
	case known != nil:
		hint = "for example " + used.word + " " + known[0]
	}
	if used.last {
		return ui.WithHint(hint, fmt.Errorf("%s needs a value", used.word))
	}
	return ui.WithHint(hint, fmt.Errorf("the value of %s is empty", used.name))
}

// arranged returns the words in kong's order.
func (l *commandLine) arranged() []string {
	names := l.names
	if len(names) > 0 {
		names = slices.Insert(names, 0, "--")
	}
	return slices.Concat(l.first, l.flags, names)
}
