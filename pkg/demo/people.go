package demo

import (
	"slices"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// person is an invented name. Names carry accents, apostrophes and hyphens on
// purpose: a clinic's software meets them on its first day.
type person struct {
	name string
	sex  instrument.Sex
}

// people are as many as the programme has parts, in about the field's shares
// of sexes (Yermus 2024: 948 women, 850 men, 8 others).
var people = []person{
	{"Aoife Ní Bhraonáin", instrument.Female}, {"Tomás Etxarte", instrument.Male},
	{"Nkechi Adébáyọ̀-Hart", instrument.Female}, {"Søren Vindelev", instrument.Male},
	{"Małgorzata Źrebiec", instrument.Female}, {"Jürgen Apfelstädt", instrument.Male},
	{"Inés Quintanal Ruz", instrument.Female}, {"Đặng Minh Khuê", instrument.Female},
	{"Kwabena Ofosu-Lind", instrument.Male}, {"Chloé Marsandier", instrument.Female},
	{"Rangi Te Waihou", instrument.Male}, {"Þórdís Hraunfjörð", instrument.Female},
	{"Emre Çakırtaş", instrument.Male}, {"Leilani Kahoʻonani", instrument.Female},
	{"Pádraig Ó Dubhshláine", instrument.Male}, {"Zsófia Kővágóvári", instrument.Female},
	{"Amadou Diarrassel", instrument.Male}, {"Renée Thibodeaux-Paul", instrument.Female},
	{"Vikram Sundarapillai", instrument.Male}, {"Marisol Peñaflorida", instrument.Female},
	{"Håkon Lyngskår", instrument.Male}, {"Shirin Parvaneh-Rad", instrument.Female},
	{"Dmitri Polosatov", instrument.Male}, {"Yuki Hanamori", instrument.Female},
	{"Calum MacAskval", instrument.Male}, {"Beatriz Gonçalo Leirós", instrument.Female},
	{"Žofie Havránčíková", instrument.Female}, {"Joaquín Ibarlucea", instrument.Male},
	{"Temperance Walksfar", instrument.Female}, {"Noa Ben-Shachar", instrument.Other},
	{"Giancarlo D'Altavilla", instrument.Male}, {"Siobhán Mac Giolla Rí", instrument.Female},
	{"Ansel Whitcombe", instrument.Male}, {"Fatoumata Sow-Keller", instrument.Female},
	{"Li Ruoxuan", instrument.Female}, {"Ragnhild Øvregård", instrument.Female},
	{"Mateusz Święcisz", instrument.Male}, {"Esperanza Villafañez", instrument.Female},
	{"Kofi Antwi-Barr", instrument.Male}, {"Eszter Üveges-Nagyfalvi", instrument.Female},
	{"Bogdan Țurcănel", instrument.Male}, {"Anneliese Großmüllner", instrument.Female},
	{"Hoku Makanaʻole", instrument.Male}, {"Priya Venkatraghavan", instrument.Female},
	{"Désiré Mbarga-Louis", instrument.Male}, {"Ólöf Steinvör Bergsdal", instrument.Female},
	{"Nathaniel Ashgrove", instrument.Male}, {"Xóchitl Amoxtli Reyna", instrument.Female},
	{"Cemal Gündoğar", instrument.Male}, {"Wilhelmina van 't Zwanenveld", instrument.Female},
	{"Oisín Breathnachán", instrument.Male}, {"Ludmila Červenáčková", instrument.Female},
	{"Rafael Monção Teive", instrument.Male}, {"Harriet Oyelowe-Finch", instrument.Female},
	{"Sem Achterdijk", instrument.Unknown}, {"Jūratė Girdvainė", instrument.Female},
	{"Curtis Longmeadow", instrument.Male}, {"Mireia Puigverdell", instrument.Female},
	{"Tariq al-Zaytūnī", instrument.Male}, {"Gwenllian Ap Tegryn", instrument.Female},
}

// cast deals the names out: which client has which depends on chance.
func cast(seed, number uint64) []person {
	dealt := slices.Clone(people)
	stream(seed, number).Shuffle(len(dealt), func(i, j int) { dealt[i], dealt[j] = dealt[j], dealt[i] })
	return dealt
}

// zone is a time zone with its hours from UTC in winter. Appointments keep to
// these all year, so that a clinic moved by some weeks is the same clinic.
type zone struct {
	name   string
	offset int
}

// Clients who are treated on site live near the clinic; those who take
// lozenges at home live anywhere, and one or two have not said where.
var (
	onSite = zone{"America/Denver", -7}
	atHome = []zone{
		onSite,
		{"America/Los_Angeles", -8},
		{"America/Chicago", -6},
		{"America/New_York", -5},
		{"America/Phoenix", -7},
		{"America/Halifax", -4},
		{"", -7},
	}
)

func (a *author) zone(r regimen) zone {
	if r.route == care.Sublingual {
		return atHome[a.IntN(len(atHome))]
	}
	return onSite
}
