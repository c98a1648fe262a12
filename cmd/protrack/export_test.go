package main

// Certificate is certificate, for tests.
var Certificate = certificate

// Sealed is sealed, for tests.
var Sealed = sealed
