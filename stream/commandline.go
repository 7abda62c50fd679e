package stream

import (
	"fmt"
	"slices"
	"strings"
)

// Arrange returns the words of a command line with the names together, behind the flags, where people write
// llmpipe a.jsonl -f text b.jsonl, and with a value that begins with a dash in one word with its flag. It is told the commands, and which
// flags, with their dashes, take a value.
func Arrange(args []string, command, takesValue map[string]bool) ([]string, error) {
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

// CompletionScripts make the shells ask for words; where there are none they complete the names of files.
var CompletionScripts = map[string]string{
	"bash": `_llmpipe() { COMPREPLY=($(COMP_LINE="${COMP_LINE:0:COMP_POINT}" llmpipe completion words)); }
complete -o default -F _llmpipe llmpipe
`,
	"zsh": `_llmpipe() {
  local -a found
  found=(${(f)"$(COMP_LINE="${(j: :)words[1,CURRENT]}" llmpipe completion words)"})
  if (( $#found )); then compadd -a found; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _llmpipe llmpipe
`,
	"fish": `complete -c llmpipe -a '(COMP_LINE=(commandline -cp) llmpipe completion words)'
`,
}

// Examples are those of each command's help.
var Examples = map[string]string{
	"run": `  cat prompts.jsonl | llmpipe > out.jsonl
  llmpipe -p 'Is this spam? Answer yes or no: {{.body}}' < mails.jsonl | jq -r '[.id, .content] | @tsv'
  llmpipe --base-url 'sim:?rpm=600' -R questions.txt -f text
`,
	"estimate": `  llmpipe estimate --set max_tokens=200 < prompts.jsonl
  llmpipe estimate --sample 50 --json prompts.jsonl > est.json && llmpipe --estimate est.json --budget 150% prompts.jsonl > out.jsonl
  llmpipe estimate --models gpt-4o,gpt-4.1-nano --rpm 500 --tpm 200000 prompts.jsonl
`,
	"models": `  llmpipe models | grep -i claude
  llmpipe models --json --prices prices.json | jq -r '.[].model'
`,
	"export": `  llmpipe export > answers.jsonl
  llmpipe export --sample 20 -f text
  llmpipe export llmpipe.ledger.jsonl.zst | jq -r '[.id, .content] | @tsv'
`,
	"report": `  llmpipe report
  llmpipe report --html report.html
  llmpipe report --json january.jsonl.gz february.jsonl.gz | jq .total
`,
	"completion": `  source <(llmpipe completion bash)
  source <(llmpipe completion zsh)
  llmpipe completion fish | source
`,
	"batches": `  llmpipe batches
  llmpipe batches --json | jq -r '.[] | select(.pending) | .batch'
  llmpipe batches cancel batch_68a1
`,
	"repair": `  llmpipe repair
  llmpipe repair answers.ledger.jsonl --out clean.jsonl
`,
	"sim": `  llmpipe sim 'latency=800ms&jitter=0.5&rpm=500&fail=0.02&seed=1'
  OPENAI_BASE_URL=http://127.0.0.1:8089/v1 llmpipe < prompts.jsonl
`,
}
