// Bare asks for one prompt, a JSON string on standard input, with net/http and nothing else: what a start of llmpipe is measured against.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	prompt, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	body := `{"model":"m","messages":[{"role":"user","content":` + string(prompt) + `}]}`
	resp, err := http.Post(os.Args[1]+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		log.Fatal(err)
	}
}
