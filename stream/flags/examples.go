package flags

// Examples are the examples in each command's help.
var Examples = map[string]string{
	"run": `  cat prompts.jsonl | llmpipe > out.jsonl
  llmpipe -p 'Is this spam? Answer yes or no: {{.body}}' < mails.jsonl | jq -r '[.id, .content] | @tsv'
  llmpipe --base-url 'sim:?rpm=600' -R questions.txt -f text
`,
	"estimate": `  llmpipe estimate --set max_tokens=200 < prompts.jsonl
  llmpipe estimate --sample 50 --json prompts.jsonl > est.json && llmpipe --estimate est.json --budget 150% prompts.jsonl > out.jsonl
  llmpipe estimate --models gpt-4o,gpt-4.1-nano --rpm 500 --tpm 200000 prompts.jsonl
`,
	"models": `  llmpipe models claude grok-4
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
	"man": `  llmpipe man | man -l -
  llmpipe man > ~/.local/share/man/man1/llmpipe.1
`,
	"sim": `  llmpipe sim 'latency=800ms&jitter=0.5&rpm=500&fail=0.02&seed=1'
  llmpipe sim 'latency=400ms&jitter=0.5&pressure=0.05&rpm=6000,1800/10s&burst=1s&headers=false&retry-after=none'
  OPENAI_BASE_URL=http://127.0.0.1:8089/v1 llmpipe < prompts.jsonl
`,
}
