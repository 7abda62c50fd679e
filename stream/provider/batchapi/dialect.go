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

// Dialect says how a provider of OpenAI's kind differs from OpenAI: in how it must be asked, and in
// what it refuses. The zero value of a field is OpenAI's way. The providers' answers differ too,
// but one parser reads them all (see batchObject).
type Dialect struct {
	Name   string
	hosts  []string // a name with a leading dot is a suffix
	Source string   // the documentation

	bounds    Bounds            // of a file; 0 Requests or Bytes means OpenAI's
	endpoints []record.Endpoint // that batches may use; nil for all
	path      func(base *url.URL, e record.Endpoint) string
	model     func(base *url.URL) string // that every request must name; "" for any

	jobs    string // the path of batches; "" for /batches
	paged   bool   // lists have page numbers, not cursors
	request func(n *NewBatch, endpoint string) any
	bare    bool // a line holds only custom_id and body
	upload  uploadForm
	window  string // the only one that the provider offers
	google  bool   // files go through Google's own API
}

// uploadForm says how a file is uploaded.
type uploadForm struct {
	path    string
	purpose string // of a file that a batch reads
	named   bool   // the file's name is in a field of its own
}

// mega is a million bytes less 5 %, because providers may count differently.
const mega = 950_000

var chatAlone = []record.Endpoint{record.Chat}

// dialects are the known dialects, as of November 2026. The first is OpenAI's, which every unlisted
// host is taken to speak. A file for OpenAI has at most 50,000 requests and 200 MB.
var dialects = []Dialect{
	{
		Name: "openai", Source: "platform.openai.com/docs/guides/batch",
		bounds: Bounds{Requests: 50_000, Bytes: 200 * mega, Inputs: 50_000},
	},
	{
		// A request names its deployment. Endpoints have no /v1, except below /openai/v1. A file is
		// pending for minutes.
		Name: "azure", hosts: []string{".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"},
		Source: "learn.microsoft.com/azure/foundry/openai/how-to/batch",
		path:   azurePath, model: azureDeployment, bounds: Bounds{Inputs: 50_000},
	},
	{
		// The guide says 200 MB, but Groq's SDK (groq-python, files.create) says 100 MB.
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
		// The model may be given once for the whole batch, and is. Mistral accepts up to a million
		// requests; no more are sent than to OpenAI.
		Name: "mistral", hosts: []string{"api.mistral.ai"},
		Source:    "docs.mistral.ai/studio-api/batch-processing, github.com/mistralai/client-python",
		endpoints: []record.Endpoint{record.Chat, record.Embeddings}, jobs: "/batch/jobs", paged: true, request: mistralJob, bare: true,
	},
	{
		// Batches go through OpenAI's API, but files through Google's own.
		Name: "gemini", hosts: []string{"generativelanguage.googleapis.com"},
		Source:    "ai.google.dev/gemini-api/docs/openai#batch, ai.google.dev/api/files",
		endpoints: []record.Endpoint{record.Chat, record.Embeddings}, google: true,
	},
	{
		Name: "novita", hosts: []string{"api.novita.ai"}, Source: "novita.ai/docs/guides/llm-batch-api",
		endpoints: []record.Endpoint{record.Chat, record.Completions}, bare: true, window: "48h",
	},
}

// DialectOf returns the dialect that client's provider speaks.
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

// Bounds returns the bounds of one batch.
func (d *Dialect) Bounds() Bounds {
	usual := &dialects[0].bounds
	return Bounds{Requests: cmp.Or(d.bounds.Requests, usual.Requests), Bytes: cmp.Or(d.bounds.Bytes, usual.Bytes), Inputs: d.bounds.Inputs}
}

// check says why there are no batches for the endpoint and the model. It returns nil if there are.
func (d *Dialect) check(base *url.URL, endpoint record.Endpoint, model string) error {
	if d.endpoints != nil && !slices.Contains(d.endpoints, endpoint) {
		return fmt.Errorf("%s has no batches for %s (see %s)", base.Host, endpoint, d.Source)
	}
	if d.model == nil {
		return nil
	}
	if named := d.model(base); named != "" && named != model {
		return fmt.Errorf("a batch at %s must name its deployment as the model: the base URL names %q, but the records name %q",
			base.Host, named, model)
	}
	return nil
}

// pathOf returns the provider's path for an endpoint.
func (d *Dialect) pathOf(base *url.URL, e record.Endpoint) string {
	if d.path != nil {
		return d.path(base, e)
	}
	return e.Path()
}

// azurePath returns Azure's path for an endpoint. It begins with /v1 only if the base URL is below
// /openai/v1.
func azurePath(base *url.URL, e record.Endpoint) string {
	if strings.Contains(base.Path, "/openai/v1") {
		return e.Path()
	}
	return strings.TrimPrefix(e.Path(), "/v1")
}

// azureDeployment returns the deployment that the base URL names, "" for none.
func azureDeployment(base *url.URL) string {
	_, rest, _ := strings.Cut(base.Path, "/deployments/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// openaiBatch is the body of a request for a batch in OpenAI's form.
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

// mistralJob returns the body of a request for a batch in Mistral's form.
func mistralJob(n *NewBatch, endpoint string) any {
	return struct {
		InputFiles []string          `json:"input_files"`
		Endpoint   string            `json:"endpoint"`
		Model      string            `json:"model,omitempty"`
		Metadata   map[string]string `json:"metadata,omitempty"`
		Hours      int               `json:"timeout_hours"`
	}{[]string{n.InputFile}, endpoint, n.Model, n.Metadata, hours(n.Window)}
}

// hours returns the length of a window like 24h or 7d in hours. For any other text it returns 24.
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
