package record

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"

	"llmpipe/stream/record/rawjson"
)

// Packed is the answer to a request for several embeddings, split so that each becomes the answer
// to one request. It refers to the body that it was parsed from.
type Packed struct {
	body   []byte
	data   rawjson.Span
	usage  []rawjson.Span // the numbers in usage, from left to right
	before int            // how many of them stand before data
	items  []packedItem
}

// packedItem is one embedding, with the members beside it.
type packedItem struct {
	value []byte
	index rawjson.Span // the number in it that says which input it belongs to; empty when there is none
}

// ParsePacked splits the body of an answer to a request with n inputs. ParseAnswer must have
// accepted the body. The error says why it does not hold one embedding for each input.
func ParsePacked(body []byte, n int) (*Packed, error) {
	p := &Packed{body: body}
	found := 0
	members := rawjson.AppendMembers(nil, body, rawjson.SkipSpace(body, 0))
	for i := range members {
		m := &members[i]
		switch string(m.Name(body)) {
		case "data":
			found++
			p.data, p.before = m.Value, len(p.usage)
		case "usage":
			p.addNumbers(m.Value.Start)
		}
	}
	rawjson.Elements(p.data.Of(body), func(value []byte) bool {
		p.items = append(p.items, packedItem{value: value})
		return true
	})
	if found != 1 || len(p.items) != n {
		return nil, fmt.Errorf("the answer holds %d embeddings for %d inputs", len(p.items), n)
	}
	return p, p.sort()
}

// addNumbers notes the numbers in the object that begins at i, and in the objects inside it.
func (p *Packed) addNumbers(i int) {
	members := rawjson.AppendMembers(nil, p.body, i)
	for i := range members {
		v := members[i].Value
		switch value := v.Of(p.body); {
		case rawjson.IsNumber(value):
			p.usage = append(p.usage, v)
		case value[0] == '{':
			p.addNumbers(v.Start)
		}
	}
}

// sort puts the embeddings into the order of the inputs, by their indexes. Without indexes they
// already are in that order.
func (p *Packed) sort() error {
	sorted := make([]packedItem, len(p.items))
	indexed := 0
	var members []rawjson.Member
	for _, item := range p.items {
		members = rawjson.AppendMembers(members[:0], item.value, 0)
		at := rawjson.Lookup(members, item.value, "index")
		if at < 0 {
			continue
		}
		indexed++
		item.index = members[at].Value
		i, err := strconv.Atoi(string(item.index.Of(item.value)))
		if err != nil || i < 0 || i >= len(sorted) || sorted[i].value != nil {
			return fmt.Errorf("the indexes of the answer's embeddings do not match the %d inputs", len(sorted))
		}
		sorted[i] = item
	}
	switch indexed {
	case 0:
	case len(sorted):
		p.items = sorted
	default:
		return fmt.Errorf("only %d of the answer's %d embeddings have an index", indexed, len(sorted))
	}
	return nil
}

// Append appends the answer that the i-th input, from 0, would have got alone: its embedding at
// index 0, its share of every number in usage, and everything else unchanged.
func (p *Packed) Append(dst []byte, i int, shares Shares) []byte {
	item := &p.items[i]
	dst = slices.Grow(dst, len(p.body)-(p.data.End-p.data.Start)+len(item.value)+len("[]"))
	s := splice{dst: dst, src: p.body}
	s.putShares(p.usage[:p.before], i, shares)
	s.copyTo(p.data.Start)
	s.put("[")
	if item.index.End > 0 {
		s.dst = append(s.dst, item.value[:item.index.Start]...)
		s.put("0")
	}
	s.dst = append(s.dst, item.value[item.index.End:]...)
	s.put("]")
	s.skipTo(p.data.End)
	s.putShares(p.usage[p.before:], i, shares)
	s.copyTo(len(p.body))
	return s.dst
}

// putShares copies everything up to the last of the numbers, with the i-th part's share in place of
// each.
func (s *splice) putShares(numbers []rawjson.Span, i int, shares Shares) {
	for _, n := range numbers {
		s.copyTo(n.Start)
		s.dst = appendShare(s.dst, n.Of(s.src), i, shares)
		s.skipTo(n.End)
	}
}

// maxShared is the largest number that is divided as a count; a float holds it exactly.
const maxShared = 1 << 40

// appendShare appends the i-th part's share of a number. Whole numbers up to maxShared are counts,
// and their shares are whole numbers that add up to them. Other numbers, such as a price, are
// divided as fractions. A negative number is not a count, and stays as it is.
func appendShare(dst, number []byte, i int, shares Shares) []byte {
	amount, err := strconv.ParseFloat(string(number), 64)
	switch {
	case err != nil || amount < 0:
		return append(dst, number...)
	case amount == math.Trunc(amount) && amount <= maxShared:
		return strconv.AppendInt(dst, shares.Of(int64(amount), i, i+1), 10)
	}
	part := float64(shares.upTo(i+1)-shares.upTo(i)) / float64(shares.upTo(len(shares)))
	return strconv.AppendFloat(dst, amount*part, 'g', -1, 64)
}

// Shares divides amounts among parts in proportion to their weights. The shares add up to the
// amount exactly, and each is less than one unit away from its exact proportion. Shares holds the
// running sums of the weights.
type Shares []int64

// Add adds a part. Its weight must be above zero, and the sum of all weights below 2^63.
func (s Shares) Add(weight int) Shares { return append(s, s.upTo(len(s))+int64(weight)) }

// Of returns the share of an amount, zero or more, that falls to the parts from first up to, but
// not including, end.
func (s Shares) Of(amount int64, first, end int) int64 {
	return s.sumOf(amount, end) - s.sumOf(amount, first)
}

// sumOf returns the share of the first n parts, rounded down. Because these sums are rounded, not
// the single shares, the shares add up exactly.
func (s Shares) sumOf(amount int64, n int) int64 {
	if n == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(amount), uint64(s.upTo(n)))
	sum, _ := bits.Div64(high, low, uint64(s.upTo(len(s))))
	return int64(sum)
}

func (s Shares) upTo(n int) int64 {
	if n == 0 {
		return 0
	}
	return s[n-1]
}
