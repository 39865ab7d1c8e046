// Package archtest holds the project's architecture as a test: which package may import which, where bun may be known,
// what product code must not carry, how long a file may get, and that docs/architecture.md names every package.
//
// It reads the source with go/parser, all files whatever their build tags, in all modules of the repository, so that
// it needs no build and nothing escapes by a tag. [Load] reads a tree, [Tree.Check] returns what is wrong with it.
package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the import path of the repository's root; every further module in it is named by its folder.
const module = "github.com/cacheme/cacheme"

// architecture is the document whose table names every package.
const architecture = "docs/architecture.md"

// Tree is a repository's source.
type Tree struct {
	packages []*pkg
	document []byte // docs/architecture.md, nil if there is none
}

// pkg is one folder of Go files.
type pkg struct {
	dir   string // relative to the repository, "." for its root
	files []*file
}

// file is one Go file.
type file struct {
	path    string
	test    bool // named _test.go
	lines   int
	imports []string
	syntax  *ast.File
}

// Load reads all packages of the repository that fsys is the root of. Folders named testdata and vendor, and those
// that begin with a dot or an underscore, are not part of it, as for the go command. A file that does not parse is an
// error.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{}
	byDir := make(map[string]*pkg)
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && ignored(name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f, err := load(fsys, name)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir}
			t.packages = append(t.packages, byDir[dir])
		}
		byDir[dir].files = append(byDir[dir].files, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("archtest: %w", err)
	}
	t.document, err = fs.ReadFile(fsys, architecture)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("archtest: %w", err)
	}
	return t, nil
}

func ignored(dir string) bool {
	base := path.Base(dir)
	return dir != "." && (base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_"))
}

func load(fsys fs.FS, name string) (*file, error) {
	source, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &file{
		path:   name,
		test:   strings.HasSuffix(name, "_test.go"),
		lines:  bytes.Count(source, []byte("\n")),
		syntax: syntax,
	}
	for _, i := range syntax.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

// under reports whether dir is one of the folders or lies below one.
func under(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return dir == f || strings.HasPrefix(dir, f+"/") })
}

// local returns the folder of a package of this repository by its import path.
func local(imported string) (dir string, ok bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}
