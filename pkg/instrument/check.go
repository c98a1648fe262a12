package instrument

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/protrack/protrack/pkg/fault"
)

// NotAnswered is FlagRule.When for a flag on a missing answer.
const NotAnswered = "not_answered"

var (
	idForm       = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,25}$`) // fits Stata's 32 with a prefix
	versionForm  = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// Bounds that keep a mistaken file from costing memory; the longest
// instrument that ships has 20 items.
const (
	mostItems   = 500
	mostOptions = 200
	mostPoints  = 1_000_000
)

// checker gathers faults. Its maps hold only what was found sound, so that one
// mistake is not reported again wherever the broken thing is used.
type checker struct {
	d       *Definition
	items   map[string]Item
	taken   map[string]bool // ids of items, subscales and screens: all become columns
	details []fault.Detail
}

// Check reads the definition as a whole and returns a *fault.Error of kind
// Invalid that names every fault with a JSON pointer into the file, or nil.
func (d *Definition) Check() error {
	c := &checker{d: d, items: map[string]Item{}, taken: map[string]bool{}}
	c.head()
	c.licence()
	c.optionSets()
	c.itemList()
	c.gate()
	c.subscales()
	c.scoring()
	c.bands()
	c.screens()
	c.flags()
	c.changeRules()
	if len(c.details) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "The instrument definition is not valid.", c.details...)
}

func (c *checker) bad(pointer, code, message string) {
	c.details = append(c.details, fault.Detail{Pointer: pointer, Code: code, Message: message})
}

// need reports an empty text that has to be there.
func (c *checker) need(pointer, text string) {
	if text == "" {
		c.bad(pointer, "required", "A text is needed here.")
	}
}

// column claims a name that becomes a column of exports.
func (c *checker) column(pointer, id string) {
	switch {
	case !nameForm.MatchString(id):
		c.bad(pointer, "bad_id", "An id is a lower-case letter, then at most 25 of a-z, 0-9 and _.")
	case c.taken[id]:
		c.bad(pointer, "duplicate", "The id is already used in this file.")
	}
	c.taken[id] = true
}

// scored resolves ids of scored items, each at most once.
func (c *checker) scored(pointer string, ids []string) (items []Item, ok bool) {
	ok = len(ids) > 0
	if !ok {
		c.bad(pointer, "required", "At least one item is needed here.")
	}
	for i, id := range ids {
		at := pointer + "/" + strconv.Itoa(i)
		it, known := c.items[id]
		switch {
		case !known:
			c.bad(at, "unknown_item", "The file has no such item.")
		case it.Unscored:
			c.bad(at, "unscored_item", "The item is not scored.")
		case slices.Contains(ids[:i], id):
			c.bad(at, "duplicate", "The item is listed twice.")
		default:
			items = append(items, it)
			continue
		}
		ok = false
	}
	return items, ok
}

func (c *checker) head() {
	d := c.d
	if !idForm.MatchString(d.ID) {
		c.bad("/id", "bad_id", "An id is lower-case words and digits joined by hyphens, letter first.")
	}
	if !versionForm.MatchString(d.Version) {
		c.bad("/version", "bad_version", "A version is three numbers, such as 1.0.0.")
	}
	if !languageForm.MatchString(d.Language) {
		c.bad("/language", "bad_language", "A language is a BCP 47 tag, such as en or pt-BR.")
	}
	if d.Direction != LowerIsBetter && d.Direction != HigherIsBetter {
		c.bad("/direction", "unknown_direction", "The direction is lower_is_better or higher_is_better.")
	}
	c.need("/title", d.Title)
	c.need("/measures", d.Measures)
	if len(d.RecallWindows) == 0 {
		c.bad("/recall_windows", "required", "At least one recall window is needed.")
	}
	for i, w := range d.RecallWindows {
		at := "/recall_windows/" + strconv.Itoa(i)
		if !slices.Contains(recallWindows, w) {
			c.bad(at, "unknown_window", "The window is P1D, P7D, P14D, P28D, P1M, P12M or since_last_session.")
		} else if slices.Contains(d.RecallWindows[:i], w) {
			c.bad(at, "duplicate", "The window is listed twice.")
		}
	}
	for _, w := range sortedKeys(d.Stems) {
		if !d.AllowsRecall(w) {
			c.bad("/stems/"+escape(w), "unknown_window", "The window is not among recall_windows.")
		}
		c.need("/stems/"+escape(w), d.Stems[w])
	}
	c.codes()
}

func (c *checker) codes() {
	for i, code := range c.d.Codes {
		at := "/codes/" + strconv.Itoa(i)
		if code.Use != "panel" && code.Use != "total" {
			c.bad(at+"/use", "unknown_use", "A code is of the panel or of the total.")
		}
		c.need(at+"/system", code.System)
		c.need(at+"/code", code.Code)
		if code.System == "http://loinc.org" && code.Code != "" {
			c.loinc(at+"/code", code.Code, loincCode)
		}
		for _, other := range c.d.Codes[:i] {
			if other.System == code.System && other.Code == code.Code {
				c.bad(at+"/code", "duplicate", "The code stands twice; a panel is not its total.")
			}
		}
	}
}

func (c *checker) loinc(pointer, code string, form *regexp.Regexp) {
	switch {
	case !form.MatchString(code):
		c.bad(pointer, "bad_loinc", "This is not the form of a LOINC code.")
	case !hasCheckDigit(code):
		c.bad(pointer, "bad_check_digit", "The check digit of the LOINC code is wrong.")
	}
}

// licence refuses wording that the file has no right to show.
func (c *checker) licence() {
	l := c.d.Licence
	c.need("/licence/terms", l.Terms)
	c.need("/licence/source", l.Source)
	if c.d.hasWording() && !l.Redistributable && l.Permission == "" {
		c.bad("/licence/redistributable", "wording_without_licence",
			"The file has wording; that needs a licence to redistribute it, or the clinic's own permission.")
	}
}

func (d *Definition) hasWording() bool {
	if d.Stem != "" || len(d.Stems) > 0 {
		return true
	}
	for _, set := range d.OptionSets {
		if slices.ContainsFunc(set, func(o Option) bool { return o.Text != "" }) {
			return true
		}
	}
	return slices.ContainsFunc(d.Items, func(it Item) bool { return it.Text != "" })
}

func (c *checker) optionSets() {
	for _, name := range sortedKeys(c.d.OptionSets) {
		set, at := c.d.OptionSets[name], "/option_sets/"+escape(name)
		if len(set) < 2 || len(set) > mostOptions {
			c.bad(at, "bad_length", "A set has 2 to "+strconv.Itoa(mostOptions)+" options.")
		}
		seen := make(map[int]bool, len(set))
		for i, o := range set {
			at := at + "/" + strconv.Itoa(i)
			if seen[o.Value] {
				c.bad(at+"/value", "duplicate", "Another option of the set has this value.")
			}
			seen[o.Value] = true
			if o.Value < -mostPoints || o.Value > mostPoints || o.Points() < -mostPoints || o.Points() > mostPoints {
				c.bad(at, "out_of_range", "Values and scores stay within a million.")
			}
			if !c.d.ScoringOnly {
				c.need(at+"/text", o.Text)
			}
			if o.LOINC != "" {
				c.loinc(at+"/loinc", o.LOINC, loincAnswer)
			}
		}
	}
}

func (c *checker) itemList() {
	if len(c.d.Items) == 0 || len(c.d.Items) > mostItems {
		c.bad("/items", "bad_length", "An instrument has 1 to "+strconv.Itoa(mostItems)+" items.")
	}
	for i, it := range c.d.Items {
		at := "/items/" + strconv.Itoa(i)
		c.column(at+"/id", it.ID)
		if _, ok := c.d.OptionSets[it.Options]; !ok {
			c.bad(at+"/options", "unknown_option_set", "The file has no such option set.")
		}
		if !c.d.ScoringOnly {
			c.need(at+"/text", it.Text)
		}
		if it.LOINC != "" {
			c.loinc(at+"/loinc", it.LOINC, loincCode)
		}
		for k, sex := range it.AskedOf {
			if sex != Female && sex != Male {
				c.bad(at+"/asked_of/"+strconv.Itoa(k), "unknown_sex", "Items can be asked of female or of male clients.")
			}
		}
		if _, twice := c.items[it.ID]; !twice {
			c.items[it.ID] = it
		}
	}
}
