// Package media knows the images, recordings and files that a request holds or points to, and how
// many prompt tokens they are billed as.
//
// [Scan] finds them in a body, whichever API it is for: a part is an object whose type or media
// type says what it is, with the data in base64, or with where it is to be had. Of an image or a
// recording the first bytes are decoded, for the size that stands there. [OfFile] tells the same
// of a file that is yet to be put into a body. [Count] applies what the provider has published for
// the model: OpenAI's tiles and patches, Anthropic's pixels, Gemini's tiles and seconds. What
// nobody has published has no bound but the model's context window.
package media
