package webtest_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "folder to put pictures of the pages into")

func TestMain(m *testing.M) {
	flag.Parse()
	if *shots != "" && !filepath.IsAbs(*shots) {
		*shots = filepath.Join("..", "..", *shots) // as it is seen from where go test was called
	}
	code := m.Run()
	stopBrowser()
	os.Exit(code)
}

// stopBrowser ends the browser of the tests, if one was started.
var stopBrowser = func() {}

// theBrowser is the one process of all tests; each test has a profile of its
// own in it. It is nil where there is none on this machine.
var theBrowser = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, nil
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root has no sandbox to give up
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, shut := chromedp.NewContext(allocator)
	stopBrowser = func() { shut(); end() }
	return ctx, chromedp.Do(ctx)
})
