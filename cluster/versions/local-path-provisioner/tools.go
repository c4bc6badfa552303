//go:build tools

// Package tools names what is built, so that go.mod and go.sum pin and checksum all of it.
package tools

import (
	_ "github.com/rancher/local-path-provisioner"
)
