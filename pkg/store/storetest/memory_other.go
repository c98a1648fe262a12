//go:build unix && !linux

package storetest

// memory gives no folder: other systems have none that is always there.
func memory() string { return "" }
