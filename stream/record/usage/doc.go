// Package usage reads what a provider says that an answer is billed for.
//
// Each has its own words for it: what is read from a cache or written to it stands in the prompt's
// count or beside it, reasoning in the completion's or in the total alone, and gateways write two
// spellings at once, one of them zero or null. [Read] goes by what the numbers say, wherever they
// stand. Some providers state the cost itself, which [Usage.Stated] is.
package usage
