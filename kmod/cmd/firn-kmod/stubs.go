package main

func runClosure(p *program, args []string) int     { return 1 }
func runColdplug(p *program, args []string) int    { return 1 }
func runCheckConfig(p *program, args []string) int { return 1 }
func runWhy(p *program, args []string) int         { return 1 }
