package media

import "math"

// tiles is OpenAI's older way to count an image: base tokens, and tile tokens for each tile of 512
// by 512 pixels.
type tiles struct{ base, tile int64 }

// patches is OpenAI's newer way: a token for each patch of 32 by 32 pixels, times a factor.
type patches struct {
	percent  int64
	most     int64 // the most patches of an image at high detail
	side     int   // the most pixels of its longer side at high detail
	original int64 // the most patches at original detail; 0 if there is no such detail
}

// miniInflation is the factor by which gpt-4o-mini's images are billed as more tokens than they
// take: 2833 for 85, and 5667 for 170. With it, an image costs what it costs with gpt-4o.
const miniInflation = 33

// family says how the models whose names begin with prefix count images.
type family struct {
	prefix   string
	tiles    tiles
	patches  patches
	inflated bool
}

// The limits of the models that count patches.
var (
	small  = patches{percent: 100, most: 1536, side: 2048}
	recent = patches{percent: 100, most: 2500, side: 2048, original: 10_000}
)

func (p patches) times(percent int64) patches {
	p.percent = percent
	return p
}

// openAIFamilies holds what OpenAI has published
// (developers.openai.com/api/docs/guides/images-vision, "Calculating costs"), longer prefixes
// first. The factor of gpt-5.2, 1.2, was measured. No factors of later models are published: they
// have the factor of earlier models of their size, or else 1.2.
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

// image returns the tokens that an image is billed as.
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

// mostTiles is the number of tiles in an image of 768 by 2048 pixels.
const mostTiles = 8

// count scales an image down to fit into 2048 by 2048 pixels, then its shorter side to 768, and
// counts tiles. The estimate assumes that a smaller image is not scaled up. Whether it is has not
// been published, so the bound holds for both cases.
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

// count counts the patches that cover an image. If there are too many, the image is scaled down.
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
	// How the size of a scaled image is rounded is not published in all cases, so the bound does not
	// depend on it.
	return tokens{billed(n), billed(min(cover(w, 32)*cover(h, 32), most))}
}

// shrunk returns how many patches an image has after it is scaled down to at most most patches:
// first by the square root of the ratio of areas, and then so that one side is a whole number of
// patches.
func shrunk(w, h float64, most int64) int64 {
	scale := math.Sqrt(float64(most) * 32 * 32 / (w * h))
	across, down := w*scale/32, h*scale/32
	scale *= min(math.Max(1, math.Floor(across))/across, math.Max(1, math.Floor(down))/down)
	return min(cover(w*scale, 32)*cover(h*scale, 32), most)
}

// within scales two sides down so that the longer has at most most pixels.
func within(w, h, most float64) (float64, float64) {
	if scale := most / max(w, h); scale < 1 {
		return w * scale, h * scale
	}
	return w, h
}

// cover returns how many squares cover a length. A trace of a pixel is a rounding error, and needs
// no square.
func cover(length, square float64) int64 { return max(1, int64(math.Ceil(length/square-1e-9))) }
