package flags

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// CompletionScripts make the shells ask llmpipe for words. If llmpipe offers none, the shells
// complete file names.
var CompletionScripts = map[string]string{
	"bash": `_llmpipe() {
  COMPREPLY=($(COMP_LINE="${COMP_LINE:0:COMP_POINT}" llmpipe completion words))
  if [[ "$COMP_WORDBREAKS" == *=* ]]; then COMPREPLY=("${COMPREPLY[@]#*=}"); fi # bash completes what is behind it
}
complete -o default -F _llmpipe llmpipe
`,
	"zsh": `#compdef llmpipe
_llmpipe() {
  local -a found
  found=(${(f)"$(COMP_LINE="${(j: :)words[1,CURRENT]}" llmpipe completion words)"})
  if (( $#found )); then compadd -a found; else _files; fi
}
if [[ "${funcstack[1]}" == _llmpipe ]]; then # read from a folder of completions
  _llmpipe "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _llmpipe llmpipe
fi
`,
	"fish": `complete -c llmpipe -a '(COMP_LINE=(commandline -cp) llmpipe completion words)'
`,
}

// CompleteWords writes the words that can complete line, the command line that is being typed. It
// writes one word per line: commands and their verbs, flags, and the values of flags that take one
// of a few words.
func CompleteWords(w io.Writer, line string, model *kong.Application) {
	words := strings.Fields(line + "x") // the x keeps the last word, which may be empty
	if len(words) < 2 {
		return
	}
	last := len(words) - 1
	c := completion{w: w, word: strings.TrimSuffix(words[last], "x"), commands: model.Leaves(true)}
	before := words[1:last]
	selected := c.commands[0] // the filter, which needs no word
	for _, command := range c.commands {
		if len(before) > 0 && command.Name == before[0] {
			selected = command
		}
	}
	c.flags = slices.Concat(model.Flags, selected.Flags)
	if len(before) > 0 {
		if f := c.flag(before[len(before)-1]); f != nil {
			c.offer("", choices["--"+f.Name])
			return
		}
	}
	if name, _, ok := strings.Cut(c.word, "="); ok {
		if f := c.flag(name); f != nil {
			c.offer(name+"=", choices["--"+f.Name])
		}
		return
	}
	switch {
	case strings.HasPrefix(c.word, "-"):
		c.offerFlags()
	case len(before) == 0:
		c.offer("", c.names())
	case len(before) == 1 && selected.Name == "help":
		c.offer("", append(c.names(), "all"))
	case len(before) == 1:
		c.offer("", choices[selected.Name])
	}
}

// completion is a request for the words that can complete a command line.
type completion struct {
	w        io.Writer
	word     string // the word that is being typed
	commands []*kong.Node
	flags    []*kong.Flag // the flags of the command on the line
}

// offer writes those of the words that begin with the word being typed.
func (c *completion) offer(before string, words []string) {
	for _, word := range words {
		if word = before + word; strings.HasPrefix(word, c.word) {
			fmt.Fprintln(c.w, word)
		}
	}
}

func (c *completion) offerFlags() {
	var names []string
	for _, f := range c.flags {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	}
	c.offer("", names)
}

func (c *completion) names() (names []string) {
	for _, command := range c.commands {
		names = append(names, command.Name)
	}
	return names
}

// flag returns the flag whose value follows a word, or nil if there is none: -qf TEXT is -q -f
// TEXT.
func (c *completion) flag(word string) *kong.Flag {
	for _, f := range c.flags {
		if f.IsBool() {
			continue
		}
		short := f.Short != 0 && len(word) > 1 && word[0] == '-' && word[1] != '-' && word[len(word)-1] == byte(f.Short)
		if short || word == "--"+f.Name {
			return f
		}
	}
	return nil
}
