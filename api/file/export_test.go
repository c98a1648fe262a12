package file

// PreferredCoding is the coding that an Accept-Encoding asks for.
func PreferredCoding(accept ...string) string { return preferredCoding(accept) }
