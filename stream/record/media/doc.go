// Package media finds the images, recordings and files that a request holds or points to, and
// counts the prompt tokens that they are billed as.
//
// [Scan] finds them in a body, whichever API it is for. A part is an object whose type or media
// type says what it is, and which holds the data in base64, or a URL or id of it. The first bytes
// of an image or a recording are decoded, because its header gives its size or its rate. [OfFile]
// tells the same about a file that is not in a body yet. [Count] applies the provider's published
// rules for the model: OpenAI's tiles and patches, Anthropic's pixels, Gemini's tiles and seconds.
// If no rule is published, the only bound is the model's context window.
package media
