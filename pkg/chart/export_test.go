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
		fmt.Fprintf(&b, ".chart .c-%s { %s }\n", c, strings.Join(styles[c].rules(), " "))
	}
	return b.String()
}

// rules are what the attributes of the other themes say.
func (s style) rules() []string {
	paint := func(property string, i ink) string {
		if i == none {
			return property + ": none;"
		}
		return fmt.Sprintf("%s: var(--chart-%s);", property, i)
	}
	out := []string{paint("fill", s.fill)}
	switch {
	case s.halo:
		out = append(out, paint("stroke", paper), "stroke-width: "+number(halo)+";", "stroke-linejoin: round;", "paint-order: stroke;")
	case s.stroke != none:
		out = append(out, paint("stroke", s.stroke), "stroke-width: "+number(s.width)+";")
		if s.dash == nil {
			out = append(out, "stroke-linejoin: round;", "stroke-linecap: round;")
		}
	}
	if s.dash != nil {
		out = append(out, "stroke-dasharray: "+strings.Trim(fmt.Sprint(s.dash), "[]")+";")
	}
	if s.size > 0 {
		out = append(out, "font-size: "+number(s.size)+"px;", "pointer-events: none;")
	}
	if s.bold {
		out = append(out, "font-weight: 700;")
	}
	return out
}
