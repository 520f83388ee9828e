package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// nodeMajor is the oldest Node.js all agents run on.
const nodeMajor = 22

// workshop is where the agents are installed.
type workshop struct {
	dir  string // of all that is kept between measurements
	path string // PATH for the agents: with a Node.js that is new enough first
}

// openWorkshop makes sure there is a Node.js that the agents run on.
func openWorkshop(dir string) (workshop, error) {
	w := workshop{dir: dir, path: os.Getenv("PATH")}
	if out, err := exec.Command("node", "--version").Output(); err == nil && major(string(out)) >= nodeMajor {
		return w, nil
	}
	bin := filepath.Join(dir, "node", "node_modules", ".bin")
	if _, err := os.Stat(filepath.Join(bin, "node")); err != nil {
		if err := w.npm("node", "node@"+strconv.Itoa(nodeMajor+2)); err != nil {
			return w, fmt.Errorf("install Node.js %d: %w", nodeMajor+2, err)
		}
	}
	w.path = bin + string(os.PathListSeparator) + w.path
	return w, nil
}

// major is the first number of a version.
func major(version string) int {
	n, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(version))
	return n
}

// npm installs a package into a directory of the workshop.
func (w workshop) npm(name, pkg string) error {
	cmd := exec.Command("npm", "install", "--prefix", filepath.Join(w.dir, name), "--no-audit", "--no-fund", "--loglevel=error", pkg)
	cmd.Env = append(os.Environ(), "PATH="+w.path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("npm install %s: %w: %s", pkg, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// binary is where the agent's command is or would be.
func (w workshop) binary(s subject) string {
	return filepath.Join(w.dir, s.name, "node_modules", ".bin", s.bin)
}

// install installs an agent unless it is there, and answers with its version.
func (w workshop) install(s subject) (string, error) {
	var errs error
	if _, err := os.Stat(w.binary(s)); err != nil {
		for _, pkg := range s.packages {
			fmt.Fprintln(os.Stderr, "install", pkg)
			err := w.npm(s.name, pkg)
			if err == nil {
				errs = nil
				break
			}
			errs = errors.Join(errs, err)
		}
	}
	if errs != nil {
		return "", errs
	}
	cmd := exec.Command(w.binary(s), "--version")
	// Some write into their home even now, and a moment after they have ended.
	home := filepath.Join(w.dir, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	cmd.Env = []string{"PATH=" + w.path, "HOME=" + home}
	out, err := cmd.Output()
	version := regexp.MustCompile(`\d+\.\d+\.\d+\S*`).FindString(string(out))
	if version == "" {
		return "", fmt.Errorf("ask %s for its version: %w", s.bin, errors.Join(err, fmt.Errorf("it says %q", out)))
	}
	return version, nil
}
