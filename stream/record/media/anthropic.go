package media

import "strings"

// What Claude sees of an image (platform.claude.com/docs/en/build-with-claude/vision): it is scaled
// down to so many pixels a side and so many tokens, and a token is about 750 pixels, or a patch of
// 28 pixels square.
const (
	claudeSide, claudeTokens           = 1568, 1600
	claudeLargeSide, claudeLargeTokens = 2576, 4784
	claudePatch                        = 28
)

// seesLarge reports whether a model, whose name without claude- it is given, sees images in high
// resolution: those from 4.7 on do. One that is not known counts as such.
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

// pixels is what an image has in tokens of 750 pixels, scaled down to so many pixels a side and so
// many tokens. It is the most where the size is not known.
func pixels(width, height, side int, most int64) int64 {
	if width == 0 || height == 0 {
		return most
	}
	w, h := within(float64(width), float64(height), float64(side))
	return min(int64(w*h+749)/750, most)
}
