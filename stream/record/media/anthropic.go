package media

import "strings"

// Claude's limits for an image (platform.claude.com/docs/en/build-with-claude/vision). An image is
// scaled down to at most this many pixels a side and this many tokens. A token is about 750 pixels,
// or a patch of 28 by 28 pixels.
const (
	claudeSide, claudeTokens           = 1568, 1600
	claudeLargeSide, claudeLargeTokens = 2576, 4784
	claudePatch                        = 28
)

// seesLarge reports whether a Claude model sees images in high resolution: models from 4.7 on do,
// and unknown ones are assumed to. name is the model's name without claude- at its beginning.
func seesLarge(name string) bool {
	if strings.HasPrefix(name, "2") || strings.HasPrefix(name, "3") || strings.HasPrefix(name, "instant") {
		return false
	}
	for _, model := range [...]string{"opus-4", "sonnet-4", "haiku-4"} {
		version, ok := strings.CutPrefix(name, model)
		if !ok {
			continue
		}
		minor, ok := strings.CutPrefix(version, "-")
		return ok && len(minor) > 0 && minor[0] >= '7' && minor[0] <= '9' && (len(minor) == 1 || minor[1] < '0' || minor[1] > '9')
	}
	return true
}

func (m *model) claudeImage(p *Part) tokens {
	side, most := claudeSide, int64(claudeTokens)
	if m.large {
		side, most = claudeLargeSide, claudeLargeTokens
	}
	likely := pixels(p.Width, p.Height, side, most)
	if p.Width == 0 || p.Height == 0 {
		return tokens{most, most}
	}
	w, h := within(float64(p.Width), float64(p.Height), float64(side))
	return tokens{likely, max(likely, min(cover(w, claudePatch)*cover(h, claudePatch), most))}
}

// pixels returns an image's tokens, of 750 pixels each, after the image is scaled down to at most
// side pixels a side and most tokens. It returns most if the image's size is not known.
func pixels(width, height, side int, most int64) int64 {
	if width == 0 || height == 0 {
		return most
	}
	w, h := within(float64(width), float64(height), float64(side))
	return min(int64(w*h+749)/750, most)
}
