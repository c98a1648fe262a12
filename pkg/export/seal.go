package export

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/protrack/protrack/pkg/fault"
)

// sealLength is the length of a package's seal: a ZIP's comment has to say how
// long it is before it begins.
const sealLength = 512

// blank is the comment in whose place the seal is written.
var blank = strings.Repeat(" ", sealLength)

// sealer hands on a ZIP but for its comment, which comes last, and puts the
// seal of the rest there.
type sealer struct {
	out  *Sum
	seal func(sum []byte) (string, error)
	held []byte // the end of what was written, as long as a seal
}

// Write hands on what cannot be the comment.
func (s *sealer) Write(p []byte) (int, error) {
	s.held = append(s.held, p...)
	if free := len(s.held) - sealLength; free > 0 {
		if _, err := s.out.Write(s.held[:free]); err != nil {
			return 0, err
		}
		s.held = append(s.held[:0], s.held[free:]...)
	}
	return len(p), nil
}

// close writes the seal.
func (s *sealer) close() error {
	text, err := s.seal(s.out.hash.Sum(nil))
	if err != nil {
		return fmt.Errorf("seal the package: %w", err)
	}
	if len(text) > sealLength {
		return fmt.Errorf("the package's seal has %d bytes", len(text))
	}
	_, err = io.WriteString(s.out.w, text+blank[len(text):])
	return err
}

// OpenedPackage is a package that was found whole.
type OpenedPackage struct {
	Manifest, Signature []byte
	Files               []File // all of them but the manifest, its signature and the sums
	Sum                 []byte // SHA-256 of all but the seal
	Seal                string
}

// OpenPackage reads a sealed package and checks that it holds the files that
// its list of sums names, as they were, and no others. A *fault.Error of kind
// Invalid names the first thing that is not so. Who vouches for manifest and
// seal is for the caller to check.
func OpenPackage(r io.ReaderAt, size int64) (OpenedPackage, error) {
	var p OpenedPackage
	if size < sealLength {
		return p, notWhole("it is too short")
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(r, 0, size-sealLength)); err != nil {
		return p, fmt.Errorf("read package: %w", err)
	}
	p.Sum = hash.Sum(nil)
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return p, notWhole("it is no ZIP file").Because(err)
	}
	if len(archive.Comment) != sealLength {
		return p, notWhole("it has no seal")
	}
	p.Seal = strings.TrimRight(archive.Comment, " ")
	var sums bytes.Buffer
	var listed []byte
	for _, f := range archive.File {
		var content bytes.Buffer
		kept := io.Discard
		if f.Name == ManifestFile || f.Name == SignatureFile || f.Name == SumsFile {
			kept = &content
		}
		file, err := sumOf(f, kept)
		if err != nil {
			return p, err
		}
		switch f.Name {
		case SumsFile:
			listed = content.Bytes()
			continue
		case ManifestFile:
			p.Manifest = content.Bytes()
		case SignatureFile:
			p.Signature = content.Bytes()
		default:
			p.Files = append(p.Files, file)
		}
		fmt.Fprintf(&sums, "%s  %s\n", file.SHA256, file.Name)
	}
	if !bytes.Equal(sums.Bytes(), listed) {
		return p, notWhole("its files are not those of " + SumsFile)
	}
	return p, nil
}

// largestManifest bounds what is kept of a file that says how large it is.
const largestManifest = 256 << 20

func sumOf(f *zip.File, kept io.Writer) (File, error) {
	in, err := f.Open()
	if err != nil {
		return File{}, notWhole(f.Name + " cannot be read").Because(err)
	}
	defer func() { _ = in.Close() }()
	if kept != io.Discard && f.UncompressedSize64 > largestManifest {
		return File{}, notWhole(f.Name + " is too large")
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(hash, kept), in) //nolint:gosec // sums alone are kept of large files
	if err != nil {
		return File{}, notWhole(f.Name + " is not as it was").Because(err)
	}
	return File{Name: f.Name, Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}

func notWhole(why string) *fault.Error {
	return fault.New(fault.Invalid, "This is not a whole package: "+why+".")
}
