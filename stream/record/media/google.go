package media

// What Gemini counts (ai.google.dev/gemini-api/docs/tokens, and media-resolution): up to version
// 2.5 an image has 258 tokens, or as many for each of the tiles that one is cut into which is
// larger than 384 pixels; from 3 on it has 1,120, and 2,240 at the highest resolution.
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
	// A tile is two thirds of the shorter side, and from 256 to 768 pixels.
	w, h := within(float64(p.Width), float64(p.Height), geminiSide)
	tile := min(max(min(w, h)/1.5, 256), 768)
	likely := geminiTile * cover(w, 768) * cover(h, 768)
	return tokens{likely, max(likely, geminiTile*cover(w, tile)*cover(h, tile))}
}
