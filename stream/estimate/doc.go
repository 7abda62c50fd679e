// Package estimate is llmpipe estimate: what prompts would cost and how long they would take, from
// one pass over the input, and with --sample from really asking some of it.
package estimate
