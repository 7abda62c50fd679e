package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	openai "github.com/sashabaranov/go-openai"

	"llmpipe/stream/provider/key"
	"llmpipe/stream/record"
)

// login is a key, with the stubs that carry it.
type login struct {
	key   *key.Key
	stubs [record.Endpoints]stub
}

// stub is the request for an endpoint: its address, and the headers with the key. These are the
// same for every record, so a stub is made once for each key, and each attempt sends a copy of it
// with its own body. Making it for every attempt would cost a tenth of a record's CPU.
type stub struct {
	once    sync.Once
	key     string // "" for none
	dialect record.Dialect
	request *http.Request
	err     error
}

type stubKey struct{}

// loginWith returns the login with a key. It reuses the last login if that has the same key.
func (c *Client) loginWith(k *key.Key) *login {
	l := c.login.Load()
	if l == nil || l.key != k {
		l = &login{key: k}
		c.login.Store(l)
	}
	return l
}

// stub returns the stub of an endpoint under a login. The request must not be changed.
func (c *Client) stub(l *login, endpoint record.Endpoint) (*http.Request, error) {
	s := &l.stubs[endpoint]
	s.once.Do(func() {
		s.key, s.dialect = l.key.Text, endpoint.Dialect()
		err := c.call(context.WithValue(context.Background(), stubKey{}, s), endpoint)
		if !errors.Is(err, errTaken) {
			s.err = fmt.Errorf("making a request for %s: %w", endpoint, err)
			return
		}
		// If the header names an encoding, the transport leaves decompression to us. Its own fails on a
		// body that is only said to be compressed.
		if !c.local && s.request.Header.Get("Accept-Encoding") == "" {
			s.request.Header.Set("Accept-Encoding", "gzip")
		}
	})
	return s.request, s.err
}

// call makes the call for endpoint: go-openai's typed call, or our own for messages.
func (c *Client) call(ctx context.Context, endpoint record.Endpoint) error {
	var err error
	switch endpoint {
	case record.Embeddings:
		_, err = c.api.CreateEmbeddings(ctx, openai.EmbeddingRequest{})
	case record.Responses:
		_, err = c.api.CreateResponse(ctx, openai.CreateResponseRequest{})
	case record.Completions:
		_, err = c.api.CreateCompletion(ctx, openai.CompletionRequest{Prompt: ""})
	case record.Messages:
		err = c.callAnthropic(ctx)
	default:
		_, err = c.api.CreateChatCompletion(ctx, openai.ChatCompletionRequest{})
	}
	return err
}
