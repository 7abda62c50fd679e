// Package schema handles the JSON Schema that answers must fit, draft 4 to 2020-12. It says which
// parts of a schema a provider accepts and whether an answer fits. It reads nothing but the text
// that it is given, and its work is bounded for any schema.
package schema
