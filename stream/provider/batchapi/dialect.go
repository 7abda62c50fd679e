package batchapi

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"llmpipe/stream/provider"
	"llmpipe/stream/record"
)

// Dialect is what a provider of OpenAI's kind does otherwise. The zero value of a field is OpenAI's
// way. What a provider answers otherwise is read for all of them alike (see batchObject): what
// stands here is what must be asked otherwise, and what is refused.
type Dialect struct {
	Name   string
	hosts  []string // or, after a point, the ends of their names
	Source string   // where it is written

	bounds    Bounds            // those of a file; 0 is OpenAI's
	endpoints []record.Endpoint // that batches may ask; nil for all
	path      func(base *url.URL, e record.Endpoint) string
	model     func(base *url.URL) string // that every request must name; "" for any

	jobs    string // the path of batches
	paged   bool   // lists are by numbers of pages, not by cursors
	request func(n *NewBatch, endpoint string) any
	bare    bool // a line holds custom_id and body alone
	upload  uploadForm
	window  string // the only one there is
	google  bool   // files are those of Google's own API
}

// uploadForm is how a file comes to the provider.
type uploadForm struct {
	path    string
	purpose string // of a file that a batch reads
	named   bool   // the file's name is in a field of its own
}

// mega is a million bytes, less a twentieth, as providers may count differently.
const mega = 950_000

var chatAlone = []record.Endpoint{record.Chat}

// dialects are those that are known, as they were in November 2026; OpenAI's own is the first, and
// what every other host is taken to speak. A file of OpenAI's has 50,000 requests and 200 MB.
var dialects = []Dialect{
	{
		Name: "openai", Source: "platform.openai.com/docs/guides/batch",
		bounds: Bounds{Requests: 50_000, Bytes: 200 * mega, Inputs: 50_000},
	},
	{
		// A request names its deployment, and endpoints have no /v1 but below /openai/v1. A file is
		// pending for minutes.
		Name: "azure", hosts: []string{".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"},
		Source: "learn.microsoft.com/azure/foundry/openai/how-to/batch",
		path:   azurePath, model: azureDeployment, bounds: Bounds{Inputs: 50_000},
	},
	{
		// The guide says 200 MB, and its SDK (groq-python, files.create) 100.
		Name: "groq", hosts: []string{"api.groq.com"}, Source: "console.groq.com/docs/batch",
		endpoints: chatAlone, bounds: Bounds{Bytes: 100 * mega},
	},
	{
		Name: "together", hosts: []string{"api.together.xyz", "api.together.ai"},
		Source:    "docs.together.ai/docs/inference/batch, .../reference/upload-file, .../reference/batch-create",
		endpoints: chatAlone, bounds: Bounds{Bytes: 100 * mega}, request: withoutMetadata, bare: true,
		upload: uploadForm{path: "/files/upload", purpose: "batch-api", named: true},
	},
	{
		// The model may stand beside the requests, and does there. Up to a million requests are taken;
		// as many as for others are sent.
		Name: "mistral", hosts: []string{"api.mistral.ai"},
		Source:    "docs.mistral.ai/studio-api/batch-processing, github.com/mistralai/client-python",
		endpoints: []record.Endpoint{record.Chat, record.Embeddings}, jobs: "/batch/jobs", paged: true, request: mistralJob, bare: true,
	},
	{
		// Batches are OpenAI's, and files are not: they go by Google's own API.
		Name: "gemini", hosts: []string{"generativelanguage.googleapis.com"},
		Source:    "ai.google.dev/gemini-api/docs/openai#batch, ai.google.dev/api/files",
		endpoints: []record.Endpoint{record.Chat, record.Embeddings}, google: true,
	},
	{
		Name: "novita", hosts: []string{"api.novita.ai"}, Source: "novita.ai/docs/guides/llm-batch-api",
		endpoints: []record.Endpoint{record.Chat, record.Completions}, bare: true, window: "48h",
	},
}

// DialectOf returns the one that the provider of client speaks.
func DialectOf(client *provider.Client) *Dialect {
	simulated, base := client.RehearsesAs(), client.Base()
	for i := range dialects {
		d := &dialects[i]
		spoken := func(host string) bool {
			return base.Hostname() == host || host[0] == '.' && strings.HasSuffix(base.Hostname(), host)
		}
		if d.Name == simulated || slices.ContainsFunc(d.hosts, spoken) {
			return d
		}
	}
	return &dialects[0]
}

// Bounds are those of one batch.
func (d *Dialect) Bounds() Bounds {
	usual := &dialects[0].bounds
	return Bounds{Requests: cmp.Or(d.bounds.Requests, usual.Requests), Bytes: cmp.Or(d.bounds.Bytes, usual.Bytes), Inputs: d.bounds.Inputs}
}

// check says why a batch that asks the endpoint and model cannot be had.
func (d *Dialect) check(base *url.URL, endpoint record.Endpoint, model string) error {
	if d.endpoints != nil && !slices.Contains(d.endpoints, endpoint) {
		return fmt.Errorf("batches at %s do not ask %s (%s)", base.Host, endpoint, d.Source)
	}
	if d.model == nil {
		return nil
	}
	if named := d.model(base); named != "" && named != model {
		return fmt.Errorf("a batch at %s names its deployment as the model: that is %q, and the records name %q", base.Host, named, model)
	}
	return nil
}

// pathOf is what the provider calls an endpoint.
func (d *Dialect) pathOf(base *url.URL, e record.Endpoint) string {
	if d.path != nil {
		return d.path(base, e)
	}
	return e.Path()
}

// azurePath has the /v1 that the version of the API has.
func azurePath(base *url.URL, e record.Endpoint) string {
	if strings.Contains(base.Path, "/openai/v1") {
		return e.Path()
	}
	return strings.TrimPrefix(e.Path(), "/v1")
}

// azureDeployment is the deployment in the address.
func azureDeployment(base *url.URL) string {
	_, rest, _ := strings.Cut(base.Path, "/deployments/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// openaiBatch asks for a batch as OpenAI has it.
type openaiBatch struct {
	InputFile string            `json:"input_file_id"`
	Endpoint  string            `json:"endpoint"`
	Window    string            `json:"completion_window"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

func withMetadata(n *NewBatch, endpoint string) any {
	return openaiBatch{n.InputFile, endpoint, cmp.Or(n.Window, "24h"), n.Metadata}
}

func withoutMetadata(n *NewBatch, endpoint string) any {
	return openaiBatch{n.InputFile, endpoint, cmp.Or(n.Window, "24h"), nil}
}

// mistralJob asks for a batch as Mistral has it.
func mistralJob(n *NewBatch, endpoint string) any {
	return struct {
		InputFiles []string          `json:"input_files"`
		Endpoint   string            `json:"endpoint"`
		Model      string            `json:"model,omitempty"`
		Metadata   map[string]string `json:"metadata,omitempty"`
		Hours      int               `json:"timeout_hours"`
	}{[]string{n.InputFile}, endpoint, n.Model, n.Metadata, hours(n.Window)}
}

// hours is how many a window like 24h or 7d has; 24 for one that is neither.
func hours(window string) int {
	const day = 24
	for unit, factor := range map[string]int{"h": 1, "d": day} {
		if number, ok := strings.CutSuffix(window, unit); ok {
			if n, err := strconv.Atoi(number); err == nil && n > 0 {
				return n * factor
			}
		}
	}
	return day
}
