package flags

import (
	"regexp"
	"slices"
	"strings"
)

// foreign are flags of other programs (llm, openai, curl, parallel, xargs, jq), with what llmpipe
// has instead.
var foreign = []struct{ names, hint string }{
	{"-j --jobs -P --max-procs --parallel --parallelism --max-parallel --workers --max-workers --threads --concurrent --concurrent-requests",
		"-c N keeps N requests in flight; without it llmpipe finds out how many the provider takes"},
	{"-o --output --out --output-file --outfile -O", "results go to stdout: llmpipe prompts.jsonl > out.jsonl"},
	{"-i --input --input-file --in -a --arg-file --file --data-file --prompts --prompt-file",
		"name the file without a flag, or redirect it: llmpipe prompts.jsonl > out.jsonl"},
	{"-d --data --data-raw --data-binary --message --messages --query --question --text",
		"prompts come in on stdin: echo 'What is 2+2?' | llmpipe -R"},
	{"-k --api-key --key --apikey --token --auth --auth-token -u --user --password --bearer",
		"never write a key on the command line: export OPENAI_API_KEY, or name another variable with --key-env NAME"},
	{"--url --api-base --base --host --server --endpoint-url --api-url --openai-api-base --provider -b",
		"--base-url URL names the provider, up to its /v1: --base-url http://localhost:11434/v1"},
	{"-H", "--header 'Name: value' sends a header with every request; --header-env 'Name=VARIABLE' sends a secret one"},
	{"-x --proxy", "export HTTPS_PROXY=http://proxy:3128 to send requests through a proxy"},
	{"--cacert --ca --ca-bundle --insecure", "export SSL_CERT_FILE=ca.pem to trust a certificate authority of your own"},
	{"--max-time --connect-timeout --request-timeout", "--timeout 60s limits one attempt, --deadline 2h the whole run"},
	{"--retry --max-retries --retry-all-errors", "--retries N sets how often a record is retried"},
	{"--rate --rate-limit --qps --rps --requests-per-minute --max-rpm --throttle --delay --sleep",
		"--rpm N allows N requests a minute; without it llmpipe finds the provider's limit"},
	{"--tokens-per-minute --max-tpm", "--tpm N allows N tokens a minute; without it llmpipe finds the provider's limit"},
	{"--max-cost --cost-limit --max-budget --max-spend --spend-limit", "--budget 5 spends at most $5, over all runs of the ledger"},
	{"--cost --price --count-tokens --dry --what-if",
		"llmpipe estimate prompts.jsonl tells what a run would cost; --dry-run shows the requests"},
	{"--json --jsonl --ndjson --output-format -F", "each output line is JSON already; -f text writes only the answers"},
	{"-r --raw --raw-output --plain --text-only --content-only", "-f text writes only the answers; -R reads each line as a plain-text prompt"},
	{"-0 --null --print0", "-f text0 ends each answer with a NUL byte, for xargs -0"},
	{"--keep-order --order --in-order --sorted", "--ordered writes results in the order of the input"},
	{"--tag --with-input --include-input --keep-record", "--keep-input adds the record to its result"},
	{"-n --max-args --head --count --max-records --max-rows --first", "--limit N sends only the first N records, --sample N a sample of N"},
	{"--shuf --shuffle --random", "--sample N sends a sample of N records; shuf prompts.jsonl | llmpipe sends all in random order"},
	{"-s --system-prompt --system-message --instructions", "--system 'You are …' sets the system message of records without one"},
	{"--template -t --format-string --user-prompt", "-p 'Translate: {{.text}}' makes the prompt from a record's fields"},
	{"--attachment --image --images --attach-file --pdf --audio", "--attach FIELD attaches the files that a record names in FIELD"},
	{"--csv --tsv --colsep", "llmpipe reads JSON lines; run llmpipe prompts.csv to see the command that converts the file"},
	{"--json-schema --response-schema --output-schema", "--schema FILE asks for answers that fit a JSON Schema, and checks them"},
	{"--batch --batch-mode --async", "--mode batch uses the provider's Batch API, at half the price"},
	{"--batch-size --batch-max", "--chunk N pauses after every N records; --pack N puts N embeddings into one request"},
	{"--resume --continue --restart --checkpoint --joblog --resume-failed --cache --log --database",
		"run the same command again: the ledger remembers what was answered; --ledger FILE names another ledger"},
	{"--no-log --no-cache --no-save --fresh --force --overwrite", "--no-ledger remembers nothing; --ledger with a new FILE starts afresh"},
	{"--bar --eta --progress-bar --verbose-progress", "a terminal shows the status line anyway; --progress always shows it elsewhere too"},
	{"--silent --no-progress --quiet-mode", "-q prints only errors"},
	{"--debug --trace --log-level", "-v prints a line for each retry"},
	{"--halt --fail-fast --exit-on-error --stop-on-error",
		"failed records do not stop a run: --failed FILE collects them, and the exit code is 3"},
	{"--config --profile --config-file",
		"there is no configuration file: put flags into an alias or a Makefile, and export variables"},
	{"--stream --streaming --no-stream", "answers are not streamed: each is written on one line when it is complete"},
	{"--model-name --engine --deployment", "-m NAME names the model"},
	{"-V", "llmpipe version prints the version"},
	{"-L --location --follow", "llmpipe follows no redirects, so that no key reaches another host: give the final address with --base-url"},
	{"-X --request --method --compressed -w", "llmpipe sends the requests itself; --dry-run shows what it would send"},
}

// bodyFields are the fields of a request's body for which other programs have flags, each with an
// example value.
var bodyFields = map[string]string{
	"max_tokens": "200", "max_completion_tokens": "200", "max_output_tokens": "200", "temperature": "0.2", "temp": "0.2", "top_p": "0.9",
	"top_k": "40", "n": "1", "stop": `["END"]`, "stop_sequences": `["END"]`, "frequency_penalty": "0.5", "presence_penalty": "0.5",
	"logprobs": "true", "top_logprobs": "5", "logit_bias": "{}", "reasoning_effort": `"low"`, "effort": `"low"`, "verbosity": `"low"`,
	"response_format": `{"type":"json_object"}`, "json_mode": `{"type":"json_object"}`, "tools": "@tools.json", "tool_choice": `"auto"`,
	"service_tier": `"flex"`, "dimensions": "256", "store": "false", "metadata": `{"job":"1"}`, "user_id": `"me"`, "min_p": "0.05",
	"repetition_penalty": "1.1", "num_ctx": "8192", "keep_alive": `"10m"`, "thinking": `{"type":"enabled","budget_tokens":2048}`,
	"option": "temperature=0.2", "extra_body": "guided_json=@schema.json", "param": "temperature=0.2", "guided_json": "@schema.json",
}

// aliases are fields under the names that other programs have for them.
var aliases = map[string]string{"temp": "temperature", "effort": "reasoning_effort", "json_mode": "response_format", "user_id": "user"}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// foreignHint returns what llmpipe has instead of another program's flag. value is what follows the
// flag. The hint is "" for an unknown flag.
func foreignHint(flag, value string) string {
	if strings.HasPrefix(flag, "--") {
		if hint := fieldHint(flag, value); hint != "" {
			return hint
		}
		flag = strings.ToLower(flag)
	}
	same := func(name string) bool { return name == flag || len(name) > len("-x") && joined(name) == joined(flag) }
	for _, f := range foreign {
		if slices.ContainsFunc(strings.Fields(f.names), same) {
			return f.hint
		}
	}
	return ""
}

// joined returns a name without the separators between its words, in lower case: max-tokens,
// max_tokens and maxTokens are the same.
func joined(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// fieldHint returns the hint for a flag that stands for a field of the request's body.
func fieldHint(flag, value string) string {
	for field, example := range bodyFields {
		if joined(field) != joined(flag) {
			continue
		}
		if number.MatchString(value) && number.MatchString(example) {
			example = value
		}
		if alias, ok := aliases[field]; ok {
			field = alias
		}
		setting := field + "=" + example
		if strings.Contains(example, "=") {
			setting = example
		}
		if strings.ContainsAny(setting, `"\`) {
			setting = "'" + setting + "'"
		}
		return "set fields of the request with --set: --set " + setting
	}
	return ""
}
