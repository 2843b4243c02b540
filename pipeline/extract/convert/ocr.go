package convert

import (
	"context"
	"os/exec"
	"strings"

	"docbatch/pipeline/extract/content"
)

// HasOCR reports whether tesseract is installed.
func HasOCR() bool {
	_, err := exec.LookPath("tesseract")
	return err == nil
}

// OCR has tesseract read the picture in data: PNG, JPEG, TIFF, BMP, GIF, WebP. languages are those of the text, as tesseract names them
// ("deu+fra"); "" for its default, English. It checks no bound on pixels; time and memory are bounded as in Command.Run, and so are the errors.
func OCR(ctx context.Context, data []byte, languages string) (text string, err error) {
	c := Command{Args: []string{"tesseract", "{in}", "stdout"}}
	if languages != "" {
		c.Args = append(c.Args, "-l", languages)
	}
	out, _, err := c.Run(ctx, "", data)
	if err != nil && languages != "" && strings.Contains(err.Error(), "Error opening data file") {
		return "", content.Unsupported("tesseract does not know all of the languages %q; install them, of Debian tesseract-ocr-deu for example: %w", languages, err)
	}
	return string(out), err
}
