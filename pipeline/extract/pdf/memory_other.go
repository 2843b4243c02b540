//go:build !linux && !darwin

package pdf

import "github.com/tetratelabs/wazero/experimental"

func allocate(int) experimental.LinearMemory { return &heap{} }
