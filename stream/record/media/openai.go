package media

import "math"

// tiles is OpenAI's older way to count an image: so many tokens, and so many for each tile of 512
// pixels square.
type tiles struct{ base, tile int64 }

// patches is its newer way: a token for each patch of 32 pixels square, times a factor in
// hundredths.
type patches struct {
	percent  int64
	most     int64 // patches of an image at high detail
	side     int   // pixels of its longer side, then
	original int64 // patches at original detail; 0: there is none
}

// miniInflation is by how much more tokens gpt-4o-mini's images are billed as than they are, so
// that one costs what it costs with gpt-4o: 2833 for 85, and 5667 for 170.
const miniInflation = 33

// family is how models whose names begin in one way count images.
type family struct {
	prefix   string
	tiles    tiles
	patches  patches
	inflated bool
}

// The sizes of images that models see in patches.
var (
	small  = patches{percent: 100, most: 1536, side: 2048}
	recent = patches{percent: 100, most: 2500, side: 2048, original: 10_000}
)

func (p patches) times(percent int64) patches {
	p.percent = percent
	return p
}

// openAIFamilies is what OpenAI has published (developers.openai.com/api/docs/guides/images-vision,
// "Calculating costs"), longer prefixes first. For gpt-5.2 1.2 was measured, and nothing is
// published of later models' factors: the factor of their size counts, or the same 1.2.
var openAIFamilies = []family{
	{prefix: "gpt-4o-mini", tiles: tiles{2833, 5667}, inflated: true},
	{prefix: "gpt-4-1-mini", patches: small.times(162)},
	{prefix: "gpt-4-1-nano", patches: small.times(246)},
	{prefix: "gpt-4o", tiles: tiles{85, 170}},
	{prefix: "chatgpt-4o", tiles: tiles{85, 170}},
	{prefix: "gpt-4-1", tiles: tiles{85, 170}},
	{prefix: "gpt-4-5", tiles: tiles{85, 170}},
	{prefix: "gpt-4-turbo", tiles: tiles{85, 170}},
	{prefix: "gpt-4-vision", tiles: tiles{85, 170}},
	{prefix: "o1", tiles: tiles{75, 150}},
	{prefix: "o3", tiles: tiles{75, 150}},
	{prefix: "o4-mini", patches: small.times(172)},
	{prefix: "computer-use-preview", tiles: tiles{65, 129}},
	{prefix: "gpt-5-mini", patches: small.times(162)},
	{prefix: "gpt-5-nano", patches: small.times(246)},
	{prefix: "gpt-5-1-codex-mini", patches: small.times(162)},
	{prefix: "gpt-5-2", patches: small.times(120)},
	{prefix: "gpt-5-3", patches: small.times(120)},
	{prefix: "gpt-5-4-mini", patches: small.times(162)},
	{prefix: "gpt-5-4-nano", patches: small.times(246)},
	{prefix: "gpt-5-4", patches: recent.times(120)},
	{prefix: "gpt-5-5", patches: recent.times(120)},
	{prefix: "gpt-5-6-luna", patches: recent.times(246)},
	{prefix: "gpt-5-6", patches: recent.times(120)},
	{prefix: "gpt-5", tiles: tiles{70, 140}},
	{prefix: "gpt-6-luna", patches: recent.times(246)},
	{prefix: "gpt-6", patches: recent.times(120)},
}

// image is what an image is billed as.
func (m *model) image(p *Part) tokens {
	switch {
	case m.maker == anthropic:
		return m.claudeImage(p)
	case m.maker == google:
		return m.geminiImage(p)
	case m.tiles.tile > 0:
		return m.tiles.count(p)
	case m.patches.percent > 0:
		return m.patches.count(p)
	}
	return tokens{likely: pixels(p.Width, p.Height, 1568, 1600), most: unbounded}
}

// mostTiles is how many there are of an image whose sides are 768 and 2048 pixels.
const mostTiles = 8

// count scales an image down to 2048 pixels square, then its shorter side to 768, and counts tiles.
// An image that is smaller stays so; whether it does is not published, so the bound is for both.
func (t tiles) count(p *Part) tokens {
	if p.Detail == Low {
		return tokens{t.base, t.base}
	}
	if p.Width == 0 || p.Height == 0 {
		most := t.base + mostTiles*t.tile
		return tokens{most, most}
	}
	w, h := within(float64(p.Width), float64(p.Height), 2048)
	short := 768 / min(w, h)
	tiled := func(scale float64) int64 { return t.base + t.tile*cover(w*scale, 512)*cover(h*scale, 512) }
	likely := tiled(min(1, short))
	return tokens{likely, max(likely, min(tiled(short), t.base+mostTiles*t.tile))}
}

// count covers an image with patches, and scales it down until there are few enough.
func (a patches) count(p *Part) tokens {
	most, side := a.most, a.side
	switch {
	case p.Detail == Low:
		most, side = (512/32)*(512/32), 512
	case p.Detail != High && a.original > 0:
		most, side = a.original, 6000
	}
	billed := func(n int64) int64 { return (n*a.percent + 99) / 100 }
	if p.Width == 0 || p.Height == 0 {
		return tokens{billed(most), billed(most)}
	}
	w, h := within(float64(p.Width), float64(p.Height), float64(side))
	n := min(cover(w, 32)*cover(h, 32), most)
	if all := cover(w, 32) * cover(h, 32); all > most {
		n = shrunk(w, h, most)
	}
	// How the sizes are rounded that it is scaled down to is not published in all cases.
	return tokens{billed(n), billed(min(cover(w, 32)*cover(h, 32), most))}
}

// shrunk is how many patches an image has once it is scaled down to at most so many: by the square
// root, and then so that one side is whole patches.
func shrunk(w, h float64, most int64) int64 {
	scale := math.Sqrt(float64(most) * 32 * 32 / (w * h))
	across, down := w*scale/32, h*scale/32
	scale *= min(math.Max(1, math.Floor(across))/across, math.Max(1, math.Floor(down))/down)
	return min(cover(w*scale, 32)*cover(h*scale, 32), most)
}

// within scales two sides down so that the longer has at most so many pixels.
func within(w, h, most float64) (float64, float64) {
	if scale := most / max(w, h); scale < 1 {
		return w * scale, h * scale
	}
	return w, h
}

// cover is how many squares cover a length. A trace of a pixel is an error of rounding.
func cover(length, square float64) int64 { return max(1, int64(math.Ceil(length/square-1e-9))) }
