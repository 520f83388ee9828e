//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "drill: it reads /proc and makes control groups, which only Linux has")
	os.Exit(1)
}
