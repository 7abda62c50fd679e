// Package price says what requests cost. It has a built-in table of list prices, reads a table that
// a user names, and adds up costs exactly.
//
// [Default] is the built-in table on a given day. [Load] reads prices from a file, in LiteLLM's or
// genai-prices' form, and puts them over that table. In the table of [Free] nothing costs anything.
// [Table.Lookup] finds the price of a model at a provider. [Price.Cost] is then what a request
// costs, and [Price.WorstCost] the most that it can cost. Amounts are [Dollars], whole numbers of
// billionths, and never floats.
//
// A [Price] has [Rates] for each band of prompt lengths and each [Tier], and [Fees]. A rate that a
// table does not publish is derived from one that it does. Some rates cannot be derived, such as
// that of sound for a model that lists none. The cost is then a lower bound, and [Price.Whole]
// reports false.
package price
