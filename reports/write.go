package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Formats are the formats that a report can be written in.
var Formats = []string{"csv", "html", "json"}

// files lists what each format writes, in the order of writing.
var files = []struct {
	format, name string
	write        func(io.Writer, *Report) error
}{
	{"csv", "compliance.csv", writeCompliance},
	{"csv", "accounts.csv", writeAccounts},
	{"csv", "findings.csv", writeFindings},
	{"json", "report.json", writeJSON},
	{"html", "report.html", writeHTML},
}

// CheckWritable makes the folder of a report and checks that files can be written
// there, so that a run is refused before it changes anything.
func CheckWritable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the report folder %s: %w", dir, reason(err))
	}
	probe, err := os.CreateTemp(dir, ".rollout-*")
	if err != nil {
		return fmt.Errorf("write into the report folder %s: %w", dir, reason(err))
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// reason drops the path and the call from a file error: the message names them already.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Write writes a report in the formats given (nil: all) into dir and gives the
// paths written. Each file is written to a temporary name, synced and renamed,
// mode 0600: a file is there whole or not at all.
func Write(dir string, r *Report, formats []string) ([]string, error) {
	if len(formats) == 0 {
		formats = Formats
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the report folder %s: %w", dir, reason(err))
	}
	var written []string
	for _, f := range files {
		if !slices.Contains(formats, f.format) {
			continue
		}
		path := filepath.Join(dir, f.name)
		if err := WriteFile(path, func(w io.Writer) error { return f.write(w, r) }); err != nil {
			return written, fmt.Errorf("write %s: %w", path, reason(err))
		}
		written = append(written, path)
	}
	return written, nil
}

// WriteFile writes a file whole or not at all: to a temporary name beside it, mode
// 0600, which is then renamed.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	// os.CreateTemp makes files of mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err = write(buffered); err != nil {
		return err
	}
	if err = buffered.Flush(); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
