// Package record is where a line of input becomes a request, and an answer a line of output. It is
// pure: it touches no network, no file and no clock, and what it holds on to does not grow with the
// input.
//
// # One line in
//
// Package lines reads the lines of an input. A [Decoder] makes a [Record] of a line, which is one
// of these, the first that matches:
//
//   - any object, with a template: the record is data, and the template over its fields is the
//     prompt
//   - a JSON string, or any line where lines are text: the prompt
//   - an OpenAI batch line, with custom_id and body, or an Anthropic one, with custom_id and params:
//     the body as it is
//   - a request body, with messages, or with input where the endpoint takes it: the object without
//     its id
//   - a simple record, with prompt and maybe system: a request on the endpoint asked for, its other
//     fields carried over
//
// What a record says of the request goes to the provider byte for byte, fields that nobody here has
// heard of included. A line that is none of these is an [Error], which says why, and at which byte.
//
// Two hashes come with a record. Request is the fingerprint of what is asked, by which an answer is
// known again. Content is the hash of the record itself, of which [GeneratedID] makes an id for one
// that has none.
//
// What a request holds beside text, images and files say, package media finds and counts.
//
// # One line out
//
// [ParseAnswer] finds in a provider's answer what the output needs, [ParseError] makes the best of
// an error response, and a [Format] appends the line of a [Result].
//
// # How JSON is handled
//
// A line or a body is checked once, and after that nothing is decoded: package rawjson cuts values
// out of its bytes as they stand. Of names that come twice the last counts.
package record
