package instrument

import "regexp"

var (
	loincCode   = regexp.MustCompile(`^[1-9][0-9]{0,6}-[0-9]$`)
	loincAnswer = regexp.MustCompile(`^LA[1-9][0-9]{0,6}-[0-9]$`)
)

// hasCheckDigit verifies the last digit of a LOINC code or answer code with
// the mod 10 method of the LOINC Users' Guide. Letters, in answer codes, count
// as their distance from '0' in ASCII; every answer code that ships here
// confirms it.
func hasCheckDigit(code string) bool {
	body, digit := code[:len(code)-2], int(code[len(code)-1]-'0')
	sum := 0
	for i := range len(body) {
		v := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			v = 2*v - v/5*9
		}
		sum += v
	}
	return (10-sum%10)%10 == digit
}
