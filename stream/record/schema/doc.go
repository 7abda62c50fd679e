// Package schema handles the JSON Schema that answers must fit, draft 4 to 2020-12. It puts the
// schema into requests, says why a strict provider would not take it, and checks whether an answer
// fits. It reads nothing but the text that it is given, and its work is bounded for any schema.
package schema
