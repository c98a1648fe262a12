package main

// Certificate is certificate, for tests.
var Certificate = certificate
