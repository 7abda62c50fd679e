// Bare asks for one prompt, a JSON string on standard input, with net/http and nothing else: what a
// start of llmpipe is measured against.
package main

import (
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	if err := ask(os.Args[1]); err != nil {
		panic(err)
	}
}

func ask(baseURL string) error {
	prompt, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	body := `{"model":"m","messages":[{"role":"user","content":` + string(prompt) + `}]}`
	resp, err := http.Post(baseURL+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}
