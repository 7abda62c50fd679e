package flags

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// CompletionScripts make the shells ask for words; where there are none they complete the names of
// files.
var CompletionScripts = map[string]string{
	"bash": `_llmpipe() { COMPREPLY=($(COMP_LINE="${COMP_LINE:0:COMP_POINT}" llmpipe completion words)); }
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

// CompleteWords writes the words that may stand at the end of line, the command line that is being
// typed, one a line.
func CompleteWords(w io.Writer, line string, model *kong.Application) {
	words := strings.Fields(line + "x") // the x keeps the last word, which may be empty
	if len(words) < 2 {
		return
	}
	word := strings.TrimSuffix(words[len(words)-1], "x")
	commands := model.Leaves(true)
	selected := commands[0] // the filter, which needs no word
	for _, command := range commands {
		if command.Name == words[1] && len(words) > 2 {
			selected = command
		}
		if len(words) == 2 && strings.HasPrefix(command.Name, word) {
			fmt.Fprintln(w, command.Name)
		}
	}
	for _, f := range slices.Concat(model.Flags, selected.Flags) {
		if name := "--" + f.Name; strings.HasPrefix(word, "-") && strings.HasPrefix(name, word) && !f.Hidden {
			fmt.Fprintln(w, name)
		}
	}
}
