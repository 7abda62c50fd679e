// Package spend is the one account of a run's money. It works out the most that a request can cost
// and what an answer did cost, knows what the budgets hold and have left, and sends alerts when
// they turn yellow or red.
package spend
