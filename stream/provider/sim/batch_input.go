package sim

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// batchFlaws bounds how many flaws are reported for one batch.
const batchFlaws = 50

// batchInput is the input of a batch that may run: where its lines begin, and what they ask for.
type batchInput struct {
	file   *os.File
	starts []int64 // of the lines, and the end of the last
	model  string  // of the first request that names one
	tokens int     // of all prompts
	buf    []byte
}

// line reads line i, which is valid until the next call.
func (in *batchInput) line(i int) ([]byte, error) {
	n := int(in.starts[i+1] - in.starts[i])
	in.buf = slices.Grow(in.buf[:0], n)[:n]
	if _, err := in.file.ReadAt(in.buf, in.starts[i]); err != nil {
		return nil, err
	}
	return in.buf, nil
}

// requests returns the number of lines; 0 for a nil input.
func (in *batchInput) requests() int {
	if in == nil {
		return 0
	}
	return len(in.starts) - 1
}

func (in *batchInput) close() {
	if in != nil {
		_ = in.file.Close() // it was only read
	}
}

// readInput reads the input of b once and says what is wrong with it. A bad request body is not a
// flaw of the file: that request gets its error as its answer.
func (s *Server) readInput(ctx context.Context, b *batch) (*batchInput, []batchFlaw) {
	if b.input == nil {
		return nil, []batchFlaw{flawNoFile(b.state.InputFileID)}
	}
	if b.input.bytes > batchBytes { // bytes is 0 for a Message Batch, which was measured on arrival
		return nil, []batchFlaw{flaw("file_too_large", fmt.Sprintf(
			"The batch input file is larger than the %d bytes that a batch may have.", batchBytes), "", 0)}
	}
	file, err := os.Open(b.input.path)
	if err != nil {
		return nil, []batchFlaw{flawNoFile(b.state.InputFileID)}
	}
	check := batchCheck{sim: s, batch: b, in: &batchInput{file: file}, seen: map[uint64]struct{}{}}
	if err := check.read(ctx); err != nil {
		check.flaw(flaw("server_error", "The input file could not be read: "+err.Error(), "", 0))
	}
	if len(check.flaws) > 0 {
		check.in.close()
		return nil, check.flaws
	}
	return check.in, nil
}

// batchCheck reads a batch's input line by line.
type batchCheck struct {
	sim     *Server
	batch   *batch
	in      *batchInput
	seen    map[uint64]struct{} // hashes of the custom_ids so far
	flaws   []batchFlaw
	line    batchLine
	request request
}

func (c *batchCheck) flaw(f batchFlaw) {
	if len(c.flaws) < batchFlaws {
		c.flaws = append(c.flaws, f)
	}
}

func (c *batchCheck) read(ctx context.Context) error {
	reader := bufio.NewReaderSize(c.in.file, 256<<10)
	var at int64
	var long []byte
	for ctx.Err() == nil {
		text, err := reader.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			long = append(long, text...)
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		if long != nil {
			text = append(long, text...)
			long = nil
		}
		if len(text) == 0 {
			break
		}
		c.in.starts = append(c.in.starts, at)
		at += int64(len(text))
		number := len(c.in.starts)
		if most := cmp.Or(c.sim.options.BatchMax, batchRequests); number > most && !c.batch.messages {
			c.flaw(flaw("too_many_tasks", fmt.Sprintf(
				"The batch input file has more than the %d requests that a batch may have.", most), "", 0))
			return nil
		}
		c.check(text, number)
	}
	if len(c.in.starts) == 0 && ctx.Err() == nil {
		c.flaw(flaw("empty_file", "The batch input file is empty. It must hold at least one request.", "", 0))
	}
	c.in.starts = append(c.in.starts, at)
	return nil
}

// check checks that a line is a request and belongs to this batch.
func (c *batchCheck) check(text []byte, number int) {
	if flaw := c.line.parse(text, c.sim.bare()); flaw != nil {
		flaw.Line = &number
		c.flaw(*flaw)
		return
	}
	if id := hash(0, c.line.customID); !c.add(id) {
		c.flaw(flaw("duplicate_custom_id", "The custom_id for this request is a duplicate of another request. "+
			"The custom_id parameter must be unique for each request in a batch.", "custom_id", number))
	}
	switch url := string(c.line.url); {
	case c.sim.bare():
	case string(c.line.method) != "POST":
		c.flaw(flaw("invalid_method", "The method for this request is not POST.", "method", number))
	case c.sim.endpointOf(url) == nil && !c.batch.messages:
		c.flaw(flaw("invalid_url", "The URL provided for this request is not supported by the Batch API.", "url", number))
	case url != c.batch.state.Endpoint:
		c.flaw(flaw("url_mismatch", "The URL provided for this request does not match the batch endpoint.", "url", number))
	}
	// A fault of the body itself is reported in the request's own answer.
	_ = c.request.parse(c.batch.endpoint, &c.sim.options, c.line.body)
	c.in.tokens += c.request.promptTokens + c.request.otherTokens
	switch model := c.request.model; {
	case model == "", c.batch.messages: // the requests of a Message Batch may differ in their models
	case len(c.sim.options.Models) > 0 && !slices.Contains(c.sim.options.Models, model):
		c.flaw(flaw("model_not_found", errModel(model).message, "body.model", number))
	case c.in.model == "":
		c.in.model = model
	case c.in.model != model:
		c.flaw(flaw("model_mismatch", "The model "+strconv.Quote(model)+" for this request does not match the rest of the batch. "+
			"Each batch must contain requests for a single model.", "body.model", number))
	}
}

func (c *batchCheck) add(id uint64) bool {
	if _, ok := c.seen[id]; ok {
		return false
	}
	c.seen[id] = struct{}{}
	return true
}

// batchLine is one line of an input file. body aliases the line.
type batchLine struct {
	customID, method, url []byte // unquoted
	body                  []byte

	reader request // reads the members
}

// batchMembers are the members that a line must have, strings first. A bare line needs neither
// method nor url.
var batchMembers = [...]string{"custom_id", "method", "url", "body"}

// parse reads a line and says what is wrong with it.
func (l *batchLine) parse(line []byte, bare bool) *batchFlaw {
	l.reader.open(line)
	fields := [...]*[]byte{&l.customID, &l.method, &l.url}
	var has [len(batchMembers)]bool
	wrong := ""
	broken := l.reader.decoder.PeekKind() != '{' || l.reader.object(func(name []byte) *apiError {
		which := slices.Index(batchMembers[:], string(name))
		value, fault := l.reader.value()
		if fault != nil || which < 0 {
			return fault
		}
		has[which] = value[0] != 'n'
		switch kind := value[0]; {
		case kind == '{' && which == len(fields):
			l.body = value
		case kind == '"' && which < len(fields):
			*fields[which] = append((*fields[which])[:0], l.reader.plain(value)...)
		case has[which]:
			wrong = batchMembers[which]
		}
		return nil
	}) != nil
	if !broken {
		_, err := l.reader.decoder.ReadToken()
		broken = !errors.Is(err, io.EOF)
	}
	if broken {
		flaw := flaw("invalid_json_line", "This line is not parseable as valid JSON.", "", 0)
		return &flaw
	}
	if wrong != "" {
		flaw := flaw("invalid_type", errType(wrong, "a string, or an object for a body").message, wrong, 0)
		return &flaw
	}
	for i, name := range batchMembers {
		if bare && (name == "method" || name == "url") {
			continue
		}
		if !has[i] || name == "custom_id" && len(l.customID) == 0 {
			flaw := flaw("missing_required_parameter", errMissing(name).message, name, 0)
			return &flaw
		}
	}
	return nil
}

// open makes q's decoder read body.
func (q *request) open(body []byte) {
	q.reset(body)
	q.source = *bytes.NewBuffer(body)
	q.decoder.Reset(&q.source, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// flaw returns a reason why a batch fails as a whole. line is 0 if the reason is not about one
// line.
func flaw(code, message, param string, line int) batchFlaw {
	f := batchFlaw{Code: code, Message: message}
	if param != "" {
		f.Param = &param
	}
	if line > 0 {
		f.Line = &line
	}
	return f
}

func flawNoFile(id string) batchFlaw {
	return flaw("invalid_request", "Cannot find file "+id+", or organization org-simulated does not have access to it.", "file_id", 0)
}

func errorsOf(flaws ...batchFlaw) *batchErrors {
	return &batchErrors{Object: "list", Data: flaws}
}
