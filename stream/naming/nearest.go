package naming

import "strings"

// Nearest returns the word of known that word was probably meant to be: the only one that begins
// with it, or the first with the fewest typing errors. It is "" where none is near: with at most
// one error for each three letters, and two.
func Nearest(word string, known []string) string {
	const (
		shortest   = 3 // letters of a beginning that says enough
		mostErrors = 2
	)
	if len(word) >= shortest {
		begun, count := "", 0
		for _, k := range known {
			if strings.HasPrefix(k, word) {
				begun, count = k, count+1
			}
		}
		if count == 1 {
			return begun
		}
	}
	nearest, fewest := "", min(max(1, len(word)/3), mostErrors)+1
	for _, k := range known {
		if d := distance(word, k); d < fewest && d < len(k) {
			nearest, fewest = k, d
		}
	}
	return nearest
}

// distance is the number of typing errors between two words: letters that are missing, added or
// wrong, or two that changed places (the optimal string alignment distance).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+wrong)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
