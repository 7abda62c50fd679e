// Package price says what requests cost: the table of list prices that the program comes with, one
// that a user names, and exact sums over tokens.
//
// [Default] is the table as it is on a day; [Load] puts the prices of a file over it, in the form
// in which LiteLLM or genai-prices publish theirs; in that of [Free] nothing costs anything.
// [Table.Lookup] finds what a model costs at a provider, and [Price.Cost] what a request then costs,
// or [Price.WorstCost] what it can cost at most. Amounts are [Dollars], whole numbers of billionths,
// and nothing is ever a float.
//
// A [Price] has [Rates] for each band of prompt lengths and each [Tier], and [Fees]. What a table
// does not publish is the usual part of what it does; what nobody can tell, such as the rate of
// sound in a model that has none, makes the cost a lower bound, and [Price.Whole] says so.
package price
