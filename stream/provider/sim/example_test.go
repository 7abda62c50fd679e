package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"llmpipe/stream/provider/sim"
)

// A simulated provider in this process, without a socket.
func ExampleServer() {
	options, err := sim.ParseOptions("latency=5ms&rpm=500&seed=1")
	if err != nil {
		fmt.Println(err)
		return
	}
	sim := sim.New(options)
	defer sim.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: sim.DialContext}}

	body := `{"model":"gpt-4o-mini","max_tokens":7,"messages":[{"role":"user","content":"Why is the sky blue?"}]}`
	resp, err := client.Post("http://sim/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	var answer struct {
		Choices []struct {
			Message struct{ Content string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Status, resp.Header.Get("X-Ratelimit-Remaining-Requests"))
	fmt.Println(answer.Choices[0].Message.Content)
	// Output:
	// 200 OK 499
	// Simulated answer to "Why is the sky
}
