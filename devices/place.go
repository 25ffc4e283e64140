package devices

import "context"

// A Placed source knows by which name it was opened.
type Placed interface {
	Source
	// InPlace says whether the name still stands for this device. Its error wraps
	// ErrUnplugged. It may be called while another goroutine reads.
	InPlace() error
}

// as finds what a source can do, also behind wrappers: they have a method Unwrap
// that gives the source within.
func as[T any](src Source) (t T, ok bool) {
	for {
		if t, ok = src.(T); ok {
			return t, true
		}
		w, wrapped := src.(interface{ Unwrap() Source })
		if !wrapped {
			return t, false
		}
		src = w.Unwrap()
	}
}

// stayInPlace looks at each report whether the name of an open device still stands
// for it, and ends the context that it returns if not. When two scanners are plugged
// in anew at once, the name of one can point for a moment to where the other is now:
// whoever opened it then would keep it from its own reader until it is pulled out.
// Stop ends the looking and waits for that.
func stayInPlace(ctx context.Context, src Source, changed <-chan struct{}) (_ context.Context, stop func()) {
	ctx, lose := context.WithCancelCause(ctx)
	placed, ok := as[Placed](src)
	if !ok || changed == nil {
		return ctx, func() { lose(nil) }
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if err := placed.InPlace(); err != nil {
				lose(err)
				return
			}
			select {
			case _, ok := <-changed:
				if !ok {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() {
		lose(nil)
		<-ended
	}
}
