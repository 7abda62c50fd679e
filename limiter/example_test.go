package limiter_test

import (
	"context"
	"errors"
	"fmt"

	"llmpipe/limiter"
)

func Example() {
	l := limiter.New(limiter.Config{TPM: 30_000, Clock: limiter.System})
	defer l.Close()

	permit, err := l.Acquire(context.Background(), limiter.Request{PromptBytes: 300, MaxTokens: 200})
	if err != nil {
		fmt.Println(err)
		return
	}
	permit.Settle(limiter.Outcome{Kind: limiter.Success, FirstTry: true, PromptTokens: 80, CompletionTokens: 150})
	fmt.Println(l.Stats().TPMUsed, "tokens used")

	_, err = l.Acquire(context.Background(), limiter.Request{MaxTokens: 40_000})
	var tooLarge *limiter.TooLarge
	fmt.Println(errors.As(err, &tooLarge), err)

	// Output:
	// 280 tokens used
	// true request too large: it needs at least 40000 tokens, and the limit is 30000 a minute
}
