// Package schema knows the shape that answers are to have: a JSON Schema of draft 4 to 2020-12,
// what of it a provider takes, and whether an answer fits it. It reads nothing but the text that it
// is given, and its work is bounded, whatever that says.
package schema
