package turns

import "testing"

func TestAppend(t *testing.T) {
	const two = `{"role":"assistant","content":"a"},{"role":"user","content":"b"}`
	for _, test := range []struct{ body, member, want string }{
		{`{"messages":[{"role":"user","content":"x"}],"n":1}`, "messages", `{"messages":[{"role":"user","content":"x"},` + two + `],"n":1}`},
		{`{"model":"m", "messages" : [ ] }`, "messages", `{"model":"m", "messages" : [ ` + two + `] }`},
		{`{"input":"x\"]"}`, "input", `{"input":[{"role":"user","content":"x\"]"},` + two + `]}`},
		{`{"input":[{"role":"user","content":[{"type":"input_text","text":"]"}]} ]}`, "input",
			`{"input":[{"role":"user","content":[{"type":"input_text","text":"]"}]} ,` + two + `]}`},
		{`{"mess\u0061ges":[]}`, "messages", `{"mess\u0061ges":[` + two + `]}`},
		{`{"input":7}`, "input", ""},
		{`{"prompt":"x"}`, "messages", ""},
	} {
		got, ok := Append([]byte("-"), []byte(test.body), test.member, []byte(`"a"`), []byte(`"b"`))
		if ok != (test.want != "") || string(got) != "-"+test.want {
			t.Errorf("%s:\n%s, %v, want\n%s", test.body, got, ok, test.want)
		}
	}
}
