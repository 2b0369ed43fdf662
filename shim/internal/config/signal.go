package config

// Signal is a signal number of Linux on x86-64 and arm64; real-time signals
// count from 34 (glibc's SIGRTMIN).
type Signal int
