package sim

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sashabaranov/go-openai"
	"go.uber.org/goleak"
)

// The client library understands what the simulator says, over a connection.
func TestSimBatchOverClient(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{BatchLatency: time.Hour, BatchLost: 1})
		config := openai.DefaultConfig("key")
		config.BaseURL = "http://sim/v1"
		config.HTTPClient = connect(t, s)
		client := openai.NewClientWithConfig(config)
		ctx := t.Context()

		input := batchLines(1000)
		file, err := client.CreateFileBytes(ctx, openai.FileBytesRequest{Name: "in.jsonl", Bytes: []byte(input), Purpose: openai.PurposeBatch})
		if err != nil || file.Bytes != len(input) {
			t.Fatalf("uploaded %+v, %v", file, err)
		}
		sent, err := client.GetFileContent(ctx, file.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(sent); err != nil || !bytes.Equal(got, []byte(input)) {
			t.Errorf("what was uploaded is not what is there: %v", err)
		}
		sent.Close()
		_, err = client.CreateBatch(ctx, openai.CreateBatchRequest{InputFileID: file.ID, Endpoint: openai.BatchEndpointChatCompletions,
			CompletionWindow: "24h", Metadata: map[string]any{"shard": "7"}})
		if err == nil {
			t.Fatal("the answer was not lost")
		}
		list, err := client.ListBatch(ctx, nil, nil)
		if err != nil || len(list.Data) != 1 || list.Data[0].Metadata["shard"] != "7" {
			t.Fatalf("listed %+v, %v", list, err)
		}
		time.Sleep(2 * time.Hour)
		batch, err := client.RetrieveBatch(ctx, list.Data[0].ID)
		if err != nil || batch.Status != stateCompleted || batch.RequestCounts.Completed != 1000 || *batch.ErrorFileID != "" {
			t.Fatalf("ended as %+v, %v", batch, err)
		}
		output, err := client.GetFileContent(ctx, *batch.OutputFileID)
		if err != nil {
			t.Fatal(err)
		}
		defer output.Close()
		if got, err := io.ReadAll(output); err != nil || bytes.Count(got, []byte("\n")) != 1000 {
			t.Errorf("the output has %d lines, %v", bytes.Count(got, []byte("\n")), err)
		}
		if err := client.DeleteFile(ctx, *batch.OutputFileID); err != nil {
			t.Error(err)
		}
		if _, err := client.CancelBatch(ctx, batch.ID); err == nil {
			t.Error("what has ended was cancelled")
		}
	})
}
