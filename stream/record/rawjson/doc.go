// Package rawjson reads JSON without decoding it: a text is checked once, by [Valid] or
// [ValidMembers], and after that the code walks over its bytes and cuts values out as they stand.
// So numbers beyond 2^53, the order of keys and strings of doubtful UTF-8 survive.
//
// All functions except the checks expect valid JSON, so they need neither errors nor a stack. Given
// anything else they return nonsense, but neither panic nor loop, unless their comment says
// otherwise. Positions are byte offsets. A returned value is a slice of the text unless the comment
// says otherwise.
//
// # Why not jsontext
//
// jsontext quotes, unquotes and diagnoses invalid lines, and the tests hold [Valid] to its verdict.
// Walking with it as well was measured end to end: its Decoder replaced this package for decoding
// lines, reading chat answers and taking fingerprints, with the same fingerprints. A run with 64
// requests in flight took 36.2 µs of processor time a record instead of 34.2, and a replay of a
// million recorded answers took 5.90 s instead of 4.63: 6 % and 27 % more (medians of four pairs of
// runs of BenchmarkOverhead and BenchmarkResume, Go 1.26, two cores of a busy machine).
package rawjson
