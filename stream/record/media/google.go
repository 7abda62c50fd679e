package media

// What Gemini counts for an image (ai.google.dev/gemini-api/docs/tokens, and media-resolution). Up
// to version 2.5 a small image has 258 tokens. An image with a side of more than 384 pixels is cut
// into tiles, which have 258 tokens each. From version 3 on an image has 1,120 tokens, and 2,240 at
// the highest resolution.
const (
	geminiTile    = 258
	geminiSmall   = 384
	geminiImage   = 1120
	geminiUltra   = 2240
	geminiSide    = 3072 // larger images are scaled down to it
	mostTilesHere = 24   // of an image of 3072 by 384 pixels
)

func (m *model) geminiImage(p *Part) tokens {
	if m.gemini3 {
		return tokens{geminiImage, geminiUltra}
	}
	if p.Width == 0 || p.Height == 0 {
		return tokens{mostTilesHere * geminiTile, mostTilesHere * geminiTile}
	}
	if max(p.Width, p.Height) <= geminiSmall {
		return tokens{geminiTile, geminiTile}
	}
	// The side of a tile is two thirds of the image's shorter side, but at least 256 and at most 768
	// pixels.
	w, h := within(float64(p.Width), float64(p.Height), geminiSide)
	tile := min(max(min(w, h)/1.5, 256), 768)
	likely := geminiTile * cover(w, 768) * cover(h, 768)
	return tokens{likely, max(likely, geminiTile*cover(w, tile)*cover(h, tile))}
}
