package ledger

// How lines begin and go on, as the package comment has it.
const (
	lineStart    = `{"kind":"`
	runStart     = lineStart + `run","format":`
	shareStart   = lineStart + `share","job":"`
	resultStart  = lineStart + `result","i":"`
	failureStart = lineStart + `failure","i":"`
	emittedStart = lineStart + `emitted","file":"`
	batchStart   = lineStart + `batch","step":"`

	requestStart = `","r":"`
	timeStart    = `","time":"`
	costStart    = `","cost_usd":`
	shardStart   = `","shard":"`
	sizeStart    = `,"size":`
	keysStart    = `,"keys":[`
)
