package codec

import "reflect"

func structPlan(p *plan, fields []fieldPlan) {
	p.least = headSize(len(fields))
	for _, f := range fields {
		p.least = min(p.least+f.plan.least, maxLeast)
	}
	p.write = func(w *writer, v reflect.Value) error {
		if err := w.open(majorArray, len(fields)); err != nil {
			return err
		}
		for i := range fields {
			if err := fields[i].plan.write(w, v.Field(fields[i].index)); err != nil {
				return err
			}
		}
		w.depth--
		return nil
	}
	p.read = func(r *reader, v reflect.Value) error {
		if err := r.openExactly(len(fields)); err != nil {
			return err
		}
		for i := range fields {
			if err := fields[i].plan.read(r, v.Field(fields[i].index)); err != nil {
				return err
			}
		}
		return nil
	}
}

func pointerPlan(p, elem *plan) {
	target := p.typ.Elem()
	size := sizeOf(target)
	p.write = func(w *writer, v reflect.Value) error {
		switch {
		case v.IsNil():
			w.item(itemNull)
			return nil
		case !elem.nullable:
			w.used += size
			return elem.write(w, v.Elem())
		}
		w.used += size
		// A pointer to a nil slice is not a nil pointer: an array around what it points to tells them apart.
		if err := w.open(majorArray, 1); err != nil {
			return err
		}
		if err := elem.write(w, v.Elem()); err != nil {
			return err
		}
		w.depth--
		return nil
	}
	p.read = func(r *reader, v reflect.Value) error {
		if r.null() {
			v.SetZero()
			return nil
		}
		if elem.nullable {
			if err := r.openExactly(1); err != nil {
				return err
			}
		}
		if len(r.b) < elem.least {
			return errShort
		}
		if err := r.take(1, size); err != nil {
			return err
		}
		to := reflect.New(target)
		v.Set(to)
		return elem.read(r, to.Elem())
	}
}

func slicePlan(p, elem *plan) {
	size := sizeOf(p.typ.Elem())
	p.write = func(w *writer, v reflect.Value) error {
		if v.IsNil() {
			w.item(itemNull)
			return nil
		}
		w.used += v.Len() * size
		return writeItems(w, v, elem)
	}
	p.read = func(r *reader, v reflect.Value) error {
		if r.null() {
			v.SetZero()
			return nil
		}
		n, err := r.open(majorArray, elem.least)
		if err != nil {
			return err
		}
		if err := r.take(n, size); err != nil {
			return err
		}
		s := reflect.MakeSlice(p.typ, n, n)
		v.Set(s)
		return readItems(r, s, elem)
	}
}

func arrayPlan(p, elem *plan) {
	n := p.typ.Len()
	p.least = headSize(n)
	if n > 0 && elem.least >= maxLeast/n {
		p.least = maxLeast
	} else {
		p.least += n * elem.least
	}
	p.write = func(w *writer, v reflect.Value) error { return writeItems(w, v, elem) }
	p.read = func(r *reader, v reflect.Value) error {
		if err := r.openExactly(n); err != nil {
			return err
		}
		return readItems(r, v, elem)
	}
}

func writeItems(w *writer, v reflect.Value, elem *plan) error {
	n := v.Len()
	if err := w.open(majorArray, n); err != nil {
		return err
	}
	for i := range n {
		if err := elem.write(w, v.Index(i)); err != nil {
			return err
		}
	}
	w.depth--
	return nil
}

func readItems(r *reader, v reflect.Value, elem *plan) error {
	for i := range v.Len() {
		if err := elem.read(r, v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// maxMapHint bounds the room that is made for a map at once: a map's slots cost more than its keys in the bytes.
const maxMapHint = 1024

func mapPlan(p, key, elem *plan) {
	size := sizeOf(p.typ.Key()) + sizeOf(p.typ.Elem()) + mapSlot
	p.write = func(w *writer, v reflect.Value) error {
		if v.IsNil() {
			w.item(itemNull)
			return nil
		}
		w.used += v.Len() * size
		if err := w.open(majorMap, v.Len()); err != nil {
			return err
		}
		if v.Len() > 0 {
			k, e := reflect.New(p.typ.Key()).Elem(), reflect.New(p.typ.Elem()).Elem()
			for iter := v.MapRange(); iter.Next(); {
				k.SetIterKey(iter)
				if err := key.write(w, k); err != nil {
					return err
				}
				e.SetIterValue(iter)
				if err := elem.write(w, e); err != nil {
					return err
				}
			}
		}
		w.depth--
		return nil
	}
	p.read = func(r *reader, v reflect.Value) error {
		if r.null() {
			v.SetZero()
			return nil
		}
		n, err := r.open(majorMap, key.least+elem.least)
		if err != nil {
			return err
		}
		if err := r.take(n, size); err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(p.typ, min(n, maxMapHint))
		v.Set(m)
		if n == 0 {
			return nil
		}
		k, e := reflect.New(p.typ.Key()).Elem(), reflect.New(p.typ.Elem()).Elem()
		for i := range n {
			k.SetZero()
			if err := key.read(r, k); err != nil {
				return err
			}
			e.SetZero()
			if err := elem.read(r, e); err != nil {
				return err
			}
			m.SetMapIndex(k, e)
			if m.Len() != i+1 {
				return errKeyTwice
			}
		}
		return nil
	}
}
