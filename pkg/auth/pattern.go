package auth

import "slices"

// rows are what fingers and habits run along: counting, the alphabet, the rows
// and columns of the keyboards our customers have. Each is also read backwards.
var rows = [][]rune{
	[]rune("12345678901234567890"),
	[]rune("abcdefghijklmnopqrstuvwxyz"),
	[]rune("abcdefghijklmnopqrstuvwxyzåäö"),
	[]rune("qwertyuiopå"), []rune("asdfghjklöä"), []rune("zxcvbnm"),
	[]rune("qwertzuiopü"), []rune("yxcvbnm"),
	[]rune("azertyuiop"), []rune("qsdfghjklm"), []rune("wxcvbn"),
	[]rune("йцукенгшщзхъ"), []rune("фывапролджэ"), []rune("ячсмитьбю"),
	[]rune("1qaz"), []rune("2wsx"), []rune("3edc"), []rune("4rfv"), []rune("5tgb"),
	[]rune("6yhn"), []rune("7ujm"), []rune("8ik"), []rune("9ol"),
	[]rune("1q2w3e4r5t6y7u8i9o0p"),
	[]rune("!@#$%^&*()_+"), []rune(`!"#¤%&/()=?`),
}

// longestRepeat is the longest piece that, written again and again, is refused
// whatever it is: "abc-abc-abc-abc-" and "passw0rdpassw0rd".
const longestRepeat = 8

// isPattern reports whether a password, in lower case, is one idea written
// long: a repeated piece, a few characters over and over, or runs along rows.
func isPattern(p []rune) bool {
	return distinct(p) < 5 || repeats(p) || units(p) < leastUnits
}

func distinct(p []rune) int {
	seen := make(map[rune]struct{}, len(p))
	for _, r := range p {
		seen[r] = struct{}{}
	}
	return len(seen)
}

// repeats reports whether p is a piece of at most longestRepeat characters
// written at least twice, the last time perhaps cut short.
func repeats(p []rune) bool {
	for size := 1; size <= min(longestRepeat, len(p)/2); size++ {
		if slices.Equal(p[size:], p[:len(p)-size]) {
			return true
		}
	}
	return false
}

// units counts the ideas in p: a run of three or more along a row, or of one
// character, is one; anything else is one for each character.
func units(p []rune) int {
	n := 0
	for len(p) > 0 {
		if run := longestRun(p); run >= 3 {
			p = p[run:]
		} else {
			p = p[1:]
		}
		n++
	}
	return n
}

// longestRun returns how many characters at the start of p repeat the first or
// follow each other along a row, in either direction.
func longestRun(p []rune) int {
	longest := 1
	for longest < len(p) && p[longest] == p[0] {
		longest++
	}
	for _, row := range rows {
		for at, r := range row {
			if r != p[0] {
				continue
			}
			longest = max(longest, follow(p, row, at, 1), follow(p, row, at, -1))
		}
	}
	return longest
}

func follow(p, row []rune, at, step int) int {
	n := 0
	for n < len(p) && at >= 0 && at < len(row) && row[at] == p[n] {
		n++
		at += step
	}
	return n
}
