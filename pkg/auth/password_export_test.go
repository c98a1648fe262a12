package auth

// RewritePHC gives tests the parser of stored hashes: what it read, written
// again, and what it asks for.
func RewritePHC(text string) (again string, memory, passes uint32, lanes uint8, err error) {
	h, err := parsePHC(text)
	return h.String(), h.memory, h.passes, h.lanes, err
}
