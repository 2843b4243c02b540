//go:build !unix

package folder

// nonblock is nothing where no FIFO lies in a folder.
const nonblock = 0
