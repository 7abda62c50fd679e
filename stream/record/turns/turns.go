// Package turns continues a conversation: it adds the model's answer, and the reply to it, to a
// request's body.
package turns

import "llmpipe/stream/record/rawjson"

// Append appends body to dst, with two more turns in one of its members: what the assistant said,
// and what the user says then, each a JSON string. The member is a list of messages, or a string,
// which becomes the first message. If there is no such member, Append appends nothing and reports
// false.
func Append(dst, body []byte, member string, said, then []byte) ([]byte, bool) {
	for w := rawjson.WalkAt(body, 0); w.Next(); {
		if string(w.Name) != member {
			continue
		}
		value := w.Value()
		start, end := w.Start, w.Start+len(value)
		switch {
		case len(value) > 0 && value[0] == '[':
			dst = append(dst, body[:end-1]...)
			if rawjson.First(value) != nil {
				dst = append(dst, ',')
			}
		case rawjson.IsString(value):
			dst = append(dst, body[:start]...)
			dst = appendTurn(append(dst, '['), "user", value)
			dst = append(dst, ',')
		default:
			return dst, false
		}
		dst = appendTurn(dst, "assistant", said)
		dst = appendTurn(append(dst, ','), "user", then)
		dst = append(dst, ']')
		return append(dst, body[end:]...), true
	}
	return dst, false
}

func appendTurn(dst []byte, role string, content []byte) []byte {
	dst = append(dst, `{"role":"`...)
	dst = append(dst, role...)
	dst = append(dst, `","content":`...)
	dst = append(dst, content...)
	return append(dst, '}')
}
