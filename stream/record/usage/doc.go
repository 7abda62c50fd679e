// Package usage reads the token counts and costs that a provider reports for an answer.
//
// Providers differ. Cache reads and writes are part of the prompt count or reported beside it.
// Reasoning is part of the completion count or of the total alone. Gateways write two spellings at
// once, one of them zero or null. [Read] goes by the numbers, wherever they appear. Some providers
// state the cost itself, as [Usage.Stated].
package usage
