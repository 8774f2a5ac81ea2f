// Command sbom writes the bill of materials of a Go binary as CycloneDX JSON:
//
//	go run ./.ci/sbom VERSION BINARY DOCUMENT
//
// It reads what the linker recorded in the binary, so it lists exactly the
// modules that are inside, and the same binary always gives the same document.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

type document struct {
	Format      string `json:"bomFormat"`
	SpecVersion string `json:"specVersion"`
	Version     int    `json:"version"`
	Metadata    struct {
		Component component `json:"component"`
	} `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION BINARY DOCUMENT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(version, binary, out string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	if len(info.Deps) == 0 {
		return errors.New(binary + " names no modules")
	}
	sum, err := fileHash(binary)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(bill(info, version, filepath.Base(binary), sum), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

func bill(info *buildinfo.BuildInfo, version, name, sum string) document {
	doc := document{Format: "CycloneDX", SpecVersion: "1.6", Version: 1}
	program := module("application", info.Main.Path, "v"+strings.TrimPrefix(version, "v"))
	program.Name = name
	program.Hashes = []hash{{Alg: "SHA-256", Content: sum}}
	doc.Metadata.Component = program

	std := module("library", "std", strings.TrimPrefix(info.GoVersion, "go"))
	doc.Components = append(doc.Components, std)
	for _, dep := range info.Deps {
		doc.Components = append(doc.Components, dependencyComponent(dep))
	}
	// The binary records which modules it holds, not which of them needs
	// which, so everything hangs directly on the program.
	all := dependency{Ref: program.Ref}
	for _, c := range doc.Components {
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	doc.Dependencies = []dependency{all}
	return doc
}

func dependencyComponent(dep *debug.Module) component {
	if dep.Replace != nil {
		dep = dep.Replace
	}
	return module("library", dep.Path, dep.Version)
}

func module(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
