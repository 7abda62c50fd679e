// Package spend is the one account of a run's money: what a request can cost at most, what an
// answer did cost, what the budgets hold and have left, and who is told when they turn yellow or
// red.
package spend
