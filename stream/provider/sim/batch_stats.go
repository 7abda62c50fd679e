package sim

// BatchStats is what was asked and answered through batches.
type BatchStats struct {
	Files   int64            `json:"files"`   // uploaded
	Batches int64            `json:"batches"` // made
	Ended   map[string]int64 `json:"ended"`   // batches by the state they ended in

	Answered int64 `json:"answered"` // what a provider would bill, at the price of a batch
	Failed   int64 `json:"failed"`   // requests that ended in an error file with an answer that is not one
	Missed   int64 `json:"missed"`   // requests that nobody got to before their batch was over
	// Models is what was answered through batches, by the model asked for.
	Models map[string]ModelStats `json:"models"`
}

// uploaded counts a file and returns its number.
func (t *stats) uploaded() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Files++
	return t.counts.Batch.Files
}

func (t *stats) batchMade() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Batches++
}

// batchEnded counts a batch that ended in a state without having got to missed
// of its requests.
func (t *stats) batchEnded(status string, missed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &t.counts.Batch
	b.Missed += int64(missed)
	if b.Ended == nil {
		b.Ended = make(map[string]int64)
	}
	b.Ended[status]++
}

func (t *stats) batchAnswered(model string, u usage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Answered++
	t.counts.Batch.Models = bill(t.counts.Batch.Models, model, u)
}

func (t *stats) batchFailed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batch.Failed++
}
