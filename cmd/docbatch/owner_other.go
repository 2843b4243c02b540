//go:build !unix

package main

// isOnlyOurs takes the user's cache folder for the user's own, as it is by default.
func isOnlyOurs(string) bool { return true }
