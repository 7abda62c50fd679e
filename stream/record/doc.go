// Package record turns a line of input into a request, and an answer into a line of output. It is
// pure: it touches no network, no file and no clock, and its memory does not grow with the input.
//
// # One line in
//
// Package lines reads the lines of an input. A [Decoder] makes a [Record] from a line. The first of
// these shapes that matches the line counts:
//
//   - any object, with a template: the record is data, and the template over its fields is the
//     prompt
//   - a JSON string, or with --raw-input any line: the prompt
//   - an OpenAI batch line, with custom_id and body, or an Anthropic one, with custom_id and params:
//     the body as it is
//   - a request body, with messages, or with input if the endpoint takes it: the object without its
//     id
//   - a simple record, with prompt and maybe system: a request to the endpoint of --endpoint, its
//     other fields carried over
//
// The fields of the request go to the provider byte for byte, unknown fields included. A line of
// any other shape is an [Error], which says why, and at which byte.
//
// A record has two hashes. Request is the fingerprint of the request; a recorded answer is found by
// it. Content is the hash of the record itself; [GeneratedID] makes an id from it for a record that
// has none.
//
// Package media finds and counts what a request holds besides text, such as images and files.
//
// # One line out
//
// [ParseAnswer] finds the parts of a provider's answer that the output needs, [ParseError] reads an
// error response, and a [Format] appends the line of a [Result].
//
// # How JSON is handled
//
// A line or a body is checked once, and nothing is decoded after that: package rawjson slices
// values out of the raw bytes. If a name comes twice in an object, the last one counts.
package record
