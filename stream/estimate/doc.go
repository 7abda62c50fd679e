// Package estimate is the command llmpipe estimate. It estimates what prompts would cost and how
// long they would take, from one pass over the input. With --sample it also sends some of the
// prompts and uses their answers.
package estimate
