package sim

import "encoding/json"

// The ways in which models spoil the objects that they are asked for, by their names in Stats. A
// fenced object still fits the schema once the fence is removed.
const (
	misfitFence   faultKind = "misfit-fence"   // a code fence around it
	misfitProse   faultKind = "misfit-prose"   // words around it
	misfitMissing faultKind = "misfit-missing" // a required property is missing
	misfitType    faultKind = "misfit-type"    // a property is of another type
	misfitCut     faultKind = "misfit-cut"     // it ends halfway, as if max_tokens had
)

var misfits = [...]faultKind{misfitFence, misfitProse, misfitMissing, misfitType, misfitCut}

const saltMisfit = 0x6d697366

// misfit chooses how the choice's value is spoilt, if at all. The same request gets the same
// outcome.
func (o *Options) misfit(c *choice) faultKind {
	u := unit(mix(o.Seed^saltMisfit, c.hash))
	if u >= o.Misfit {
		return noFault
	}
	return misfits[min(int(u/o.Misfit*float64(len(misfits))), len(misfits)-1)]
}

// spoil spoils a value that fits the schema in the way that kind names. If there is no property to
// leave out or to change, it puts words around the value instead.
func spoil(said []byte, schema any, kind faultKind) []byte {
	switch kind {
	case misfitFence:
		return append(append([]byte("```json\n"), said...), "\n```"...)
	case misfitMissing:
		if f, ok := readOrdered(said).(*fields); ok {
			required, _ := memberOf(schema, "required").([]any)
			for i, name := range f.names {
				for _, r := range required {
					if r == name {
						f.names = append(f.names[:i:i], f.names[i+1:]...)
						return appendOrdered(nil, f)
					}
				}
			}
		}
	case misfitType:
		if f, ok := readOrdered(said).(*fields); ok {
			for _, name := range f.names {
				switch memberOf(memberOf(memberOf(schema, "properties"), name), "type") {
				case "string":
					f.of[name] = json.Number("7")
				case "integer", "number", "boolean", "array", "object":
					f.of[name] = "seven"
				default:
					continue
				}
				return appendOrdered(nil, f)
			}
		}
	}
	return append(append([]byte("Here it is: "), said...), " Does that help?"...)
}
