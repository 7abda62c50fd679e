// Package rawjson reads JSON without decoding it: a text is checked once, by [Valid] or
// [ValidMembers], and after that the code walks over its bytes and cuts values out as they stand.
// So numbers beyond 2^53, the order of keys and strings of doubtful UTF-8 survive.
//
// All but the two checks take what is known to be valid, so that they need neither errors nor a
// stack. On anything else they return nonsense, but neither panic nor loop, where their comment
// says nothing else. Positions are byte offsets; a value returned is a part of the text unless said
// otherwise.
package rawjson
