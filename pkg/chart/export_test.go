package chart

import (
	"fmt"
	"image/color"
	"maps"
	"slices"
	"strings"
)

// Plain is how a text comes out in a picture.
var Plain = plain

// Spread is the placing of marks and labels.
var Spread = spread

// Palettes are the colours of each theme by ink.
func Palettes() map[Theme]map[string]color.RGBA {
	out := map[Theme]map[string]color.RGBA{}
	for theme, p := range palettes {
		out[theme] = map[string]color.RGBA{}
		for i, c := range p {
			out[theme][string(i)] = c
		}
	}
	return out
}

// Inks are those of the marks and those of the texts.
func Inks() (marks, texts []string) {
	for _, s := range styles {
		switch {
		case s.size > 0:
			texts = append(texts, string(s.fill))
		case s.stroke != none && s.stroke != paper && s.stroke != grid:
			marks = append(marks, string(s.stroke))
		}
	}
	return distinct(marks), distinct(texts)
}

func distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Sheet is what the style sheet of a page says of the theme Page.
func Sheet() string {
	var b strings.Builder
	variables := func(indent string, t Theme) {
		fmt.Fprintf(&b, "%s:root {\n", indent)
		for _, i := range slices.Sorted(maps.Keys(palettes[t])) {
			fmt.Fprintf(&b, "%s  --chart-%s: %s;\n", indent, i, hex(palettes[t][i]))
		}
		fmt.Fprintf(&b, "%s}\n", indent)
	}
	variables("", Light)
	b.WriteString("@media (prefers-color-scheme: dark) {\n")
	variables("  ", Dark)
	b.WriteString("}\n@media print {\n")
	variables("  ", Print)
	b.WriteString("}\n")
	for _, c := range slices.Sorted(maps.Keys(styles)) {
		s := styles[c]
		var rules []string
		if s.fill != none {
			rules = append(rules, fmt.Sprintf("fill: var(--chart-%s);", s.fill))
		}
		stroke := s.stroke
		if s.halo {
			stroke = paper
		}
		if stroke != none {
			rules = append(rules, fmt.Sprintf("stroke: var(--chart-%s);", stroke))
		}
		fmt.Fprintf(&b, ".chart .c-%s { %s }\n", c, strings.Join(rules, " "))
	}
	return b.String()
}
