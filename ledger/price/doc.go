// Package price says what requests cost: the table of list prices that the program comes with, one
// that a user names, and exact sums over tokens.
//
// [Default] is the table as it is on a day; [Load] puts the prices of a file over it, in the form
// in which LiteLLM or genai-prices publish theirs. [Table.Lookup] finds what a model costs at a
// provider, and [Price.Cost] what a request then costs, or [Price.WorstCost] what it can cost at
// most. Amounts are [Dollars], whole numbers of billionths, and nothing is ever a float.
package price
