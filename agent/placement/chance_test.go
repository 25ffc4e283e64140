package placement_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"lintas/agent/placement"
	"lintas/mrz"
)

// people draws Indonesian names and birth dates as they are distributed: few
// given names of which some are very frequent, a tenth of all with one name
// only, and many born, according to their papers, on 1 January. The shares are
// set so that the most frequent full name is that of 0.13 to 0.2 % of all, which
// is what the civil registry has published (Nurhayati, 346 thousand); the names
// themselves only stand for names.
type people struct {
	r              *rand.Rand
	first, second  []string
	mononym        []string
	mononyms       float64 // share of persons with one name
	newYear        float64 // share born on 1 January
	lowest, span   int     // birth years
	zipf1, zipf2   *rand.Zipf
	zipfM          *rand.Zipf
	thirdNameShare float64
}

func newPeople(seed uint64) *people {
	p := &people{r: rand.New(rand.NewPCG(seed, 1)), mononyms: 0.10, newYear: 0.05, lowest: 1965, span: 40, thirdNameShare: 0.35}
	base := strings.Fields(`SITI NUR SRI DEWI ENDANG SUMIATI YULI RINA WATI RATNA INDAH LESTARI AYU PUTRI DIAN FITRI EKA TRI DWI NINING
		AGUS BUDI EKO HADI JOKO KURNIA MUHAMMAD AHMAD ABDUL RUDI SLAMET SUPARDI SUTRISNO WAHYU YUSUF ZAINAL BAMBANG DEDI FAJAR HENDRA
		IMAM IWAN JAMAL KASIM LUKMAN MULYADI NASIR OKTA PURNOMO RIDWAN SAIFUL TAUFIK UJANG WAWAN YANTO ANI MARYAM AMINAH KHADIJAH FATIMAH
		SULASTRI SUMARNI TUTIK WARSINI PARTINI SUMINAH TUMINI SUPARMI LASMINI KARTINI RUSMINI SUGIARTI MURNI SUKAESIH ROHANI HALIMAH JUMIATI`)
	tail := strings.Fields(`NINGSIH WATI LESTARI SARI RAHAYU UTAMI HANDAYANI PERTIWI SUSANTI WULANDARI HASANAH ROHMAH KHASANAH AZIZAH MAULIDA
		SETIAWAN SAPUTRA PRASETYO KURNIAWAN SANTOSO WIBOWO NUGROHO HIDAYAT RAHMAN HAKIM FAUZI MAULANA IBRAHIM ISMAIL HASAN HUSEN
		SUSILO GUNAWAN HERMAWAN FIRMANSYAH RAMADHAN SIREGAR NASUTION HARAHAP LUBIS SIMANJUNTAK SITUMORANG GINTING TARIGAN`)
	p.first = grow(base, 600)
	p.second = grow(tail, 900)
	p.mononym = grow(base, 1500)
	p.zipf1 = rand.NewZipf(p.r, 1.1, 8, uint64(len(p.first)-1))
	p.zipf2 = rand.NewZipf(p.r, 1.1, 12, uint64(len(p.second)-1))
	p.zipfM = rand.NewZipf(p.r, 1.1, 18, uint64(len(p.mononym)-1))
	return p
}

// grow makes more names of some, as languages do: by endings.
func grow(names []string, n int) []string {
	list := append([]string{}, names...)
	endings := []string{"AH", "I", "TO", "NI", "YANI", "ONO", "IN", "UN", "ATI", "ADI", "ANTO", "IYAH", "WAN", "MAN", "SIH"}
	for i := 0; len(list) < n; i++ {
		list = append(list, names[i%len(names)]+endings[i/len(names)%len(endings)])
	}
	return list[:n]
}

func (p *people) draw() (name string, birth mrz.Date) {
	switch {
	case p.r.Float64() < p.mononyms:
		name = mrz.NameKey(p.mononym[p.zipfM.Uint64()], "")
	case p.r.Float64() < p.thirdNameShare:
		name = mrz.NameKey(p.second[p.zipf2.Uint64()], p.first[p.zipf1.Uint64()]+" "+p.second[p.zipf2.Uint64()])
	default:
		name = mrz.NameKey(p.second[p.zipf2.Uint64()], p.first[p.zipf1.Uint64()])
	}
	year := p.lowest + p.r.IntN(p.span)
	if p.r.Float64() < p.newYear {
		return name, mrz.Date{Year: year, Month: 1, Day: 1}
	}
	return name, mrz.Date{Year: year, Month: 1 + p.r.IntN(12), Day: 1 + p.r.IntN(28)}
}

// Who is not on the list is taken for somebody who is, with another passport,
// in at most one of a thousand cases. All placements of a year and a third of a
// million travellers; stubs that would be ambiguous are left out, as the build
// does.
func TestChanceHits(t *testing.T) {
	const placed, travellers = 273_747, 300_000
	p := newPeople(7)
	type person struct {
		name  string
		birth mrz.Date
	}
	draw := func() (p1 person) {
		p1.name, p1.birth = p.draw()
		return p1
	}
	stubs, names := map[person]int{}, map[string]int64{}
	for range placed {
		one := draw()
		stubs[one]++
		names[one.name]++
	}
	ambiguous := 0
	for one, n := range stubs {
		if n > 1 || placement.Ambiguous(names[one.name], placement.VagueBirth(one.birth)) {
			ambiguous += n
			delete(stubs, one)
		}
	}
	hits := 0
	for range travellers {
		if stubs[draw()] > 0 {
			hits++
		}
	}
	rate := float64(hits) / travellers * 1000
	t.Logf("%d of %d unlisted travellers hit (%.3f in a thousand); %s of the placed have no stub", hits, travellers, rate,
		fmt.Sprintf("%.2f %%", float64(ambiguous)/placed*100))
	if rate > 1 {
		t.Errorf("%.3f in a thousand", rate)
	}
	if share := float64(ambiguous) / placed; share > 0.05 {
		t.Errorf("%.1f %% of the placed have no stub: second passports of theirs are not found", share*100)
	}
	if hits == 0 || ambiguous == 0 {
		t.Error("nobody is hit: the population is not like Indonesia's")
	}
}
