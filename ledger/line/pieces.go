package line

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Piece is a part of the text between two newlines, if that text is not one line: a whole line, or
// the text between two of those.
type Piece struct {
	From, To int
	Whole    bool
}

// Pieces splits the text between two newlines. It finds whole lines by their checksums.
func Pieces(text []byte) (pieces []Piece) {
	end := 0 // of the line before
	budget := MaxSearch
	for from := 0; from >= 0; {
		n := SealedLen(text[from:], &budget)
		if n == 0 {
			from = NextHead(text, from+1)
			continue
		}
		if end < from {
			pieces = append(pieces, Piece{end, from, false})
		}
		pieces = append(pieces, Piece{from, from + n, true})
		end = from + n
		from = end + 1
		if from >= len(text) || !Begins(text[from:]) { // otherwise it is one, of some kind
			from = NextHead(text, end)
		}
	}
	if end < len(text) {
		pieces = append(pieces, Piece{end, len(text), false})
	}
	return pieces
}

// Joined splits the text between two newlines if another ledger was appended to a torn end there,
// as by cat. It returns nil for anything else: each piece that is not a whole line must be what a
// short write leaves of one, and the last piece must be a whole line.
func Joined(text []byte) []Piece {
	if !endsInSum(text) {
		return nil
	}
	pieces := Pieces(text)
	if len(pieces) < 2 || !pieces[len(pieces)-1].Whole {
		return nil
	}
	behindLine := false
	for _, p := range pieces {
		between := text[p.From:p.To]
		if !p.Whole && (!tornWrites(between) || behindLine && between[0] != lineStart[0]) { // a damaged newline
			return nil
		}
		behindLine = p.Whole
	}
	return pieces
}

// maxTorn limits how many torn lines may follow one another: that many ledgers, each torn in its
// first line.
const maxTorn = 16

// tornWrites reports whether text consists of one or more beginnings of lines.
func tornWrites(text []byte) bool {
	starts := []int{0}
	for at := 1; at < len(text) && len(starts) <= maxTorn; at++ {
		i := bytes.IndexByte(text[at:], lineStart[0])
		if i < 0 {
			break
		}
		if at += i; begun(text[at:]) || beginsAnew(text[at:]) {
			starts = append(starts, at)
		}
	}
	reached := []int{len(text)} // positions, from the end on, that only torn lines follow
	for i := len(starts) - 1; i >= 0; i-- {
		for _, to := range reached {
			if tornWrite(text[starts[i]:to]) {
				reached = append(reached, starts[i])
				break
			}
		}
	}
	return reached[len(reached)-1] == 0
}

// tornWrite reports whether text is the beginning of a line and not all of it. It may hold zeros,
// if a power failure kept a write from the disk, and spaces, which earlier versions wrote to test
// for free space.
func tornWrite(text []byte) bool {
	text = bytes.TrimRight(bytes.TrimLeft(text, " \x00"), "\x00")
	if len(text) == 0 {
		return true
	}
	if !begun(text) {
		return false
	}
	json := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	return errors.Is(json.SkipValue(), io.ErrUnexpectedEOF)
}

// beginsAnew reports whether text begins like a line up to its next brace, zeros before that left
// out.
func beginsAnew(text []byte) bool {
	next := 1 + bytes.IndexByte(text[1:], lineStart[0])
	return next > 0 && begun(bytes.TrimRight(text[:next], "\x00"))
}

// begun reports whether text begins like a line, as far as it goes.
func begun(text []byte) bool {
	n := min(len(text), len(lineStart))
	return string(text[:n]) == lineStart[:n]
}
