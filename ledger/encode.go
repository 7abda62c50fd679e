package ledger

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// appendRecordHead writes what results and failures have in common, up to the id.
func appendRecordHead(
	dst []byte, start string, id []byte, request *[32]byte, when time.Time, cost []byte, simulated bool, mayCost int64,
) []byte {
	dst = append(dst, start...)
	dst = appendHex(dst, KeyOf(id, request).ID)
	dst = append(dst, requestStart...)
	dst = hex.AppendEncode(dst, request[:])
	dst = append(dst, timeStart...)
	dst = when.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, costStart...)
	dst = append(dst, cost...)
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	if mayCost > 0 {
		dst = appendCost(append(dst, mayCostMember...), mayCost, true)
	}
	dst = append(dst, `,"id":`...)
	return append(dst, id...)
}

func appendResult(dst []byte, r *Result, simulated bool) ([]byte, error) {
	if err := checkRecord(r.ID, r.CostNanos, r.Time); err != nil {
		return dst, err
	}
	if !oneLineOfJSON(r.Response) {
		return dst, fmt.Errorf("%w: the response of id %s is not JSON on one line", ErrUnwritable, r.ID)
	}
	start := len(dst)
	var cost [32]byte
	dst = appendRecordHead(dst, resultStart, r.ID, &r.Request, r.Time, appendCost(cost[:0], r.CostNanos, r.CostKnown), simulated,
		r.MayCostNanos)
	dst = appendText(dst, "endpoint", r.Endpoint)
	dst = appendText(dst, "model", r.Model)
	dst = appendText(dst, "provider", r.Provider)
	dst = appendText(dst, "downgraded_from", r.DowngradedFrom)
	dst = appendText(dst, "shard", r.Shard)
	dst = appendNumber(dst, "prompt_tokens", r.PromptTokens)
	dst = appendNumber(dst, "completion_tokens", r.CompletionTokens)
	dst = appendNumber(dst, "cached_tokens", r.CachedTokens)
	dst = appendNumber(dst, "reasoning_tokens", r.ReasoningTokens)
	dst = appendNumber(dst, "attempts", int64(r.Attempts))
	dst = appendNumber(dst, "latency_ms", r.LatencyMS)
	dst = append(dst, `,"`+responseName+`":`...)
	dst = append(dst, r.Response...)
	return finish(dst, start, r.ID)
}

func appendFailure(dst []byte, f *Failure, simulated bool) ([]byte, error) {
	if err := checkRecord(f.ID, f.CostNanos, f.Time); err != nil {
		return dst, err
	}
	start := len(dst)
	var buf [32]byte
	cost := appendCost(buf[:0], 0, true)
	if f.Billed {
		cost = appendCost(buf[:0], f.CostNanos, f.CostKnown)
	}
	dst = appendRecordHead(dst, failureStart, f.ID, &f.Request, f.Time, cost, simulated, f.MayCostNanos)
	dst = appendText(dst, "endpoint", f.Endpoint)
	dst = appendText(dst, "model", f.Model)
	dst = appendText(dst, "provider", f.Provider)
	dst = appendText(dst, "shard", f.Shard)
	dst = appendNumber(dst, "prompt_tokens", f.PromptTokens)
	dst = appendNumber(dst, "completion_tokens", f.CompletionTokens)
	dst = appendNumber(dst, "attempts", int64(f.Attempts))
	dst = appendNumber(dst, "latency_ms", f.LatencyMS)
	dst = appendText(dst, "type", f.Type)
	dst = appendText(dst, "code", f.Code)
	dst = appendNumber(dst, "status", int64(f.Status))
	dst = appendText(dst, "message", f.Message)
	return finish(dst, start, f.ID)
}

func appendRun(dst []byte, run *RunInfo, simulated bool) []byte {
	start := len(dst)
	dst = append(dst, runStart...)
	dst = strconv.AppendInt(dst, formatVersion, 10)
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = append(dst, `,"time":"`...)
	dst = run.Time.UTC().AppendFormat(dst, timeLayout)
	dst = append(dst, '"')
	dst = appendText(dst, "run", run.ID)
	dst = appendText(dst, "version", run.Version)
	dst = appendText(dst, "endpoint", run.Endpoint)
	dst = appendText(dst, "model", run.Model)
	dst = appendText(dst, "provider", run.Provider)
	return seal(dst, start)
}

func appendEmitted(dst []byte, file FileID, size int64, keys []Key, simulated, empty bool) []byte {
	start := len(dst)
	dst = append(dst, emittedStart...)
	dst = appendHex(dst, file.Device)
	dst = append(dst, ':')
	dst = appendHex(dst, file.Inode)
	dst = append(dst, '"')
	if simulated {
		dst = append(dst, simulatedFlag...)
	}
	dst = append(dst, sizeStart...)
	dst = strconv.AppendInt(dst, size, 10)
	if empty {
		dst = append(dst, emptyFlag...)
	}
	dst = append(dst, keysStart...)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = appendHex(dst, k.ID)
		dst = appendHex(dst, k.Request)
		dst = append(dst, '"')
	}
	dst = append(dst, ']')
	return seal(dst, start)
}

func checkRecord(id []byte, costNanos int64, when time.Time) error {
	switch year := when.UTC().Year(); {
	case !oneLineOfJSON(id):
		return fmt.Errorf("%w: its id %q is not JSON on one line", ErrUnwritable, id)
	case costNanos < 0:
		return fmt.Errorf("%w: the cost of id %s is negative", ErrUnwritable, id)
	case year < 0 || year > 9999:
		return fmt.Errorf("%w: the time of id %s is in the year %d", ErrUnwritable, id, year)
	}
	return nil
}

// oneLineOfJSON keeps what could not be read back from being written: the rest of a line is our own.
func oneLineOfJSON(value jsontext.Value) bool {
	return bytes.IndexByte(value, '\n') < 0 && value.IsValid(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

func finish(dst []byte, start int, id []byte) ([]byte, error) {
	if len(dst)-start > maxLine-sumLen {
		return dst[:start], fmt.Errorf("%w: id %s: %w", ErrUnwritable, id, errTooLong)
	}
	return seal(dst, start), nil
}

// appendText leaves out a member that is empty.
func appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	// The error says only that bytes that are no UTF-8 were replaced, which is what a message that
	// came from anywhere needs.
	dst, _ = jsontext.AppendQuote(dst, value)
	return dst
}

// appendNumber leaves out a member that is zero.
func appendNumber(dst []byte, name string, value int64) []byte {
	if value == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strconv.AppendInt(dst, value, 10)
}
