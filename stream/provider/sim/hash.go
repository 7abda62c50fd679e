package sim

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The simulator decides everything by hashing, so that a seed repeats a run. The multiply-and-fold
// step and the odd constants are those of wyhash (github.com/wangyi-fudan/wyhash). Nothing here
// resists an adversary.
const (
	prime0 = 0xa0761d6478bd642f
	prime1 = 0xe7037ed1a0b428db
	prime2 = 0x8ebc6af09c88c6e3
)

// mix hashes one number under a seed.
func mix(seed, x uint64) uint64 {
	return fold(fold(seed^prime0, x^prime1), prime2)
}

// hash hashes bytes under a seed, eight at a time.
func hash(seed uint64, b []byte) uint64 {
	h := mix(seed, uint64(len(b)))
	for len(b) >= 8 {
		h = fold(h^binary.LittleEndian.Uint64(b), prime1)
		b = b[8:]
	}
	var tail [8]byte
	copy(tail[:], b)
	return mix(h, binary.LittleEndian.Uint64(tail[:]))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// unit maps a hash to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// logNormal maps a hash to a length around mean, from a third of it to three times it, and at least
// 1. Lengths of real answers are about log-normal. With sigma 0.5, 96 % of them are within the
// bounds anyway, and their mean is close to mean.
func logNormal(h uint64, mean int) int {
	const sigma = 0.5
	// The sum of four uniform numbers is close to normal: mean 2, variance 1/3.
	var sum float64
	for shift := 0; shift < 64; shift += 16 {
		sum += float64(uint16(h>>shift)) / (1 << 16)
	}
	z := (sum - 2) * math.Sqrt(3)
	factor := math.Exp(sigma*z - sigma*sigma/2)
	length := float64(mean) * min(3, max(1.0/3, factor))
	return max(1, int(math.Round(length)))
}

// hex writes a hash as 16 hexadecimal digits.
func hex(h uint64) string {
	const digits = "0123456789abcdef"
	var out [16]byte
	for i := range out {
		out[i] = digits[h>>(60-4*i)&15]
	}
	return string(out[:])
}
