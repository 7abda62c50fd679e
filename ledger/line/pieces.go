package line

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Piece is a part of what stands between two newlines and is not one line: a line that is whole, or
// what stands between those.
type Piece struct {
	From, To int
	Whole    bool
}

// Pieces takes apart what stands between two newlines. Lines that are whole are found by their
// checksums.
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
		if from >= len(text) || !Begins(text[from:]) { // else it is one, of whatever kind
			from = NextHead(text, end)
		}
	}
	if end < len(text) {
		pieces = append(pieces, Piece{end, len(text), false})
	}
	return pieces
}

// Joined returns the pieces of what stands between two newlines where another ledger was added
// behind one with a torn end, as by cat, and nil where it is anything else: every piece that is no
// whole line is what a write that fell short leaves of one, and a whole line is the last.
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
		if !p.Whole && (!tornWrites(between) || behindLine && between[0] != lineStart[0]) { // its newline, damaged
			return nil
		}
		behindLine = p.Whole
	}
	return pieces
}

// maxTorn bounds how many torn lines may stand one behind the other: as many ledgers were torn in
// their first line.
const maxTorn = 16

// tornWrites reports whether text is the beginnings of lines, one or more.
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
	reached := []int{len(text)} // from the end on: what follows is torn lines
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

// tornWrite reports whether text is the beginning of a line and not all of it. Zeros may stand
// where a power failure kept a write from the disk, and spaces where earlier versions looked for
// room.
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

// beginsAnew reports whether text begins as every line does, up to where another does.
func beginsAnew(text []byte) bool {
	next := 1 + bytes.IndexByte(text[1:], lineStart[0])
	return next > 0 && begun(bytes.TrimRight(text[:next], "\x00"))
}

// begun reports whether text begins as every line does, as far as it goes.
func begun(text []byte) bool {
	n := min(len(text), len(lineStart))
	return string(text[:n]) == lineStart[:n]
}
