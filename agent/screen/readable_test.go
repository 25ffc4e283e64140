package screen_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"lintas/agent/screen"
)

// TestReadable: on the smallest and on a usual screen, dark and light, in both
// languages, everything that matters is in sight, large enough and has
// contrast (WCAG 2.2, 1.4.3, 2.5.8).
func TestReadable(t *testing.T) {
	ctx := browser(t)
	for _, c := range []struct {
		language, scheme string
		width, height    int64
	}{{"id", "dark", 1920, 1080}, {"en", "light", 1920, 1080}, {"en", "dark", 1024, 768}, {"id", "light", 1024, 768}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			d := newDesk()
			history(d, 20)
			s := serve(t, screen.Options{Theme: "auto", Desk: d, Language: c.language})
			do(t, ctx, scheme(c.scheme), chromedp.EmulateViewport(c.width, c.height), chromedp.Navigate("http://"+s.Addr()))
			until(t, ctx, unguarded)
			for _, code := range codes {
				d.show(inspections()[code])
				until(t, ctx, shown(`#banner[data-verdict=`+string(code)+`]`)+` && `+unguarded+` && document.getAnimations().length === 0`)
				for _, fault := range eval[[]string](t, ctx, `(`+audit+`)()`) {
					t.Errorf("%s: %s", code, fault)
				}
				if size := eval[float64](t, ctx, `parseFloat(getComputedStyle(document.querySelector('#banner h1 .first')).fontSize)`); c.width == 1920 && size < 100 {
					t.Errorf("%s: the verdict is %v px high", code, size)
				}
			}
		})
	}
}

// audit lists what cannot be read or reached.
const audit = `() => {
	const faults = [];
	const rgb = (c) => c.match(/[\d.]+/g).map(Number);
	const light = (c) => rgb(c).slice(0, 3).map((v) => v / 255).map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
	for (const e of document.querySelectorAll('header *, main *')) {
		const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('');
		if (!text || !e.checkVisibility() || e.closest('.hidden')) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize);
		const [a, b] = [light(style.color), light(ground(e))].sort((x, y) => y - x);
		const ratio = (a + .05) / (b + .05);
		const need = size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5;
		if (ratio < need) faults.push(text + ': contrast ' + ratio.toFixed(2));
		if (size < 11) faults.push(text + ': ' + size + ' px');
		const box = e.getBoundingClientRect();
		if (!e.closest('.history') && (box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight)) faults.push(text + ': out of sight');
	}
	for (const e of document.querySelectorAll('button')) {
		if (!e.checkVisibility()) continue;
		if (e.offsetHeight < 48 || e.offsetWidth < 48) faults.push(e.innerText + ': a button of ' + e.offsetWidth + ' by ' + e.offsetHeight);
		if (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight) faults.push(e.innerText + ': runs over its button');
	}
	for (const e of document.querySelectorAll('#detail, #banner, #keys, header, html')) {
		if (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1) faults.push((e.id || e.nodeName) + ': runs over');
	}
	return faults;
}`

// scheme chooses dark or light.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return err
	})
}
