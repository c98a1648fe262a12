package archtest_test

// module is the path that our import paths begin with.
const module = "github.com/protrack/protrack"

// floors lists the packages of the program, the highest floor first. A package
// imports lower floors only, never its own. A package that is not here does not
// exist: add it with the issue that needs it, and say there why.
var floors = [][]string{
	{"cmd/protrack", "docs/openapi"}, // the program, and what writes its document
	{"api"},
	{"api/rest", "api/web", "api/fhir"},
	{"api/picture", "api/figure", "api/file"}, // pictures, figures and files of the record, which the JSON API and the pages both give
	{"api/mw"},
	{"api/problem", "api/cursor", "api/question"}, // cursor: how rest and web write where a page of a list ends; question: how both read what is asked in an address; problem: below mw, which counts and answers by its table of statuses
	{"pkg/store", "pkg/demo"},
	{"pkg/research"}, // joins care, cohort and export: who may have which figures and files of whom
	{"pkg/care", "pkg/cohort", "pkg/export", "pkg/webhook"},
	{"pkg/trajectory", "pkg/alert", "pkg/auth", "pkg/instrument", "pkg/chart", "pkg/mail", "pkg/schedule"}, // mail: below care, which says what is sent to whom schedule: when forms are asked for; care will ask it
	{"pkg/audit"}, // below auth, whose refusals and sign-ins are recorded too
	{"pkg/fault", "pkg/seal", "migrations", "docs"}, // seal: what looks sealed is refused by care, and made by store
}

// testOnly lists the packages that serve tests. They stand beside the floors:
// they import what they need, and nothing of the program imports them.
var testOnly = []string{"api/apitest", "api/webtest", "pkg/auth/authtest", "pkg/store/storetest", "pkg/archtest"}

// A fence keeps an import to a few packages.
type fence struct {
	around []string // import paths, each with all below it
	inside []string // directories that may import them; "x/..." is x and all below it
	why    string
}

// fences bind the program and the packages that serve tests. Test files stand
// outside of them: a test may look behind any wall.
var fences = []fence{
	{
		around: []string{"gorm.io", "database/sql", "github.com/jackc/pgx", "github.com/ncruces"},
		inside: []string{"pkg/store", "pkg/store/storetest"},
		why:    "a database is known to pkg/store alone, so that rules can be read and tested without one",
	},
	{
		around: []string{"github.com/labstack"},
		inside: []string{"api/...", "cmd/..."},
		why:    "Echo is known to api and cmd alone, so that its next major version is a change of one floor",
	},
	{
		around: []string{"github.com/coreos/go-oidc", "golang.org/x/oauth2", "github.com/pquerna/otp", "golang.org/x/crypto/argon2"},
		inside: []string{"pkg/auth/..."},
		why:    "how people sign in is known to pkg/auth alone, so that each check of a credential has one place",
	},
	{
		around: []string{"github.com/zitadel"},
		inside: []string{"pkg/auth/authtest"},
		why:    "an identity provider runs in tests alone; we are a client of one",
	},
	{
		around: []string{"github.com/standard-webhooks"},
		inside: testOnly,
		why:    "it verifies in tests what we sign; that we sign by ourselves is the point",
	},
	{
		around: []string{"github.com/wneessen/go-mail"},
		inside: []string{"pkg/mail"},
		why:    "one package talks to mail servers, and keeps what could make a header out",
	},
	{
		around: []string{"github.com/emersion"},
		inside: testOnly,
		why:    "a mail server runs in tests alone; we are a client of one",
	},
	{
		around: []string{"github.com/tink-crypto"},
		inside: []string{"pkg/seal"},
		why:    "one package makes and reads sealed texts",
	},
	{
		around: []string{"github.com/parquet-go", "github.com/xuri"},
		inside: []string{"pkg/export"},
		why:    "one package knows the formats of files",
	},
	{
		around: []string{"git.sr.ht/~sbinet/gg", "golang.org/x/image", "codeberg.org/go-fonts"},
		inside: []string{"pkg/chart"},
		why:    "one package draws",
	},
	{
		around: []string{"gonum.org"},
		inside: []string{"pkg/cohort", "pkg/trajectory"},
		why:    "statistics belong to those who say what they mean",
	},
	{
		around: []string{"testing", "net/http/httptest", module + "/pkg/archtest"},
		inside: testOnly,
		why:    "test code does not belong in the binary",
	},
	{
		around: []string{module + "/pkg/store"},
		inside: append([]string{"cmd/protrack"}, testOnly...),
		why:    "cmd/protrack alone joins the store to the interfaces that its users declare",
	},
	{
		around: []string{module + "/pkg/demo"},
		inside: append([]string{"cmd/protrack"}, testOnly...),
		why:    "the synthetic clinic is a subcommand's, not the product's",
	},
}

// A ban keeps a standard function to a few packages.
type ban struct {
	pkg    string
	names  []string
	inside []string
	why    string
}

// bans bind what fences bind.
var bans = []ban{
	{
		pkg:    "os",
		names:  []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
		inside: append([]string{"cmd/..."}, testOnly...),
		why:    "the environment is read once, by cmd, and handed on as values",
	},
	{
		pkg:    "syscall",
		names:  []string{"Getenv", "Environ"},
		inside: []string{"cmd/..."},
		why:    "the environment is read once, by cmd, and handed on as values",
	},
	{
		pkg:    "os",
		names:  []string{"Exit"},
		inside: []string{"cmd/...", "docs/openapi"},
		why:    "only main may end the process; everybody else returns an error",
	},
	{
		pkg:    "log",
		names:  []string{"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln", "Print", "Printf", "Println"},
		inside: []string{"cmd/...", "docs/openapi"},
		why:    "what is logged goes through log/slog, which redacts",
	},
}

// emptyNames say nothing of what is in a package.
var emptyNames = []string{
	"base", "common", "core", "helper", "helpers", "lib", "misc", "model", "models",
	"shared", "type", "types", "util", "utils",
}

// topLevel lists what the top of the repository may hold, besides dotfiles.
var topLevel = []string{
	"api", "cmd", "pkg", "docs", "migrations", "go.mod", "go.sum",
	"Dockerfile", "README.md", "LICENSE", "Makefile", "compose.yaml",
}

// longest is how many lines a Go file may have. What is longer is two rooms.
const longest = 600
