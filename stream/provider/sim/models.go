package sim

import (
	"net/http"
	"slices"
)

// defaultModel is what GET /models lists if any name is accepted.
const defaultModel = "gpt-4o-mini"

// models returns the models that GET /models lists.
func (s *Server) models() []string {
	if len(s.options.Models) == 0 {
		return []string{defaultModel}
	}
	return s.options.Models
}

func (s *Server) listModels(w http.ResponseWriter, _ *http.Request) {
	body := []byte(`{"object":"list","data":[`)
	for i, name := range s.models() {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendModel(body, name)
	}
	s.reply(w, http.StatusOK, s.layout(append(body, "]}\n"...)))
}

func (s *Server) showModel(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("model")
	if name == "" || len(s.options.Models) > 0 && !slices.Contains(s.options.Models, name) {
		s.fail(w, errModel(name))
		return
	}
	s.reply(w, http.StatusOK, s.layout(append(appendModel(nil, name), '\n')))
}

func appendModel(dst []byte, name string) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendQuoted(dst, name)
	dst = appendNumber(dst, `,"object":"model","created":`, creationTime)
	return append(dst, `,"owned_by":"simulator"}`...)
}
