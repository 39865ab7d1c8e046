package codec_test

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/cacheme/cacheme/internal/codec"
)

func TestCBOR_random_values_come_back_as_they_were(t *testing.T) {
	t.Parallel()
	c := codec.NewCBOR()
	if problems := codec.Check(reflect.TypeFor[Everything]()); problems != nil {
		t.Fatalf("Check = %v", problems)
	}
	var used Everything
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := reflect.New(reflect.TypeFor[Everything]()).Elem()
		fill(r, want, 5)
		got := trip(t, c, want.Interface(), used)
		if d := exact(want.Interface(), got); d != "" {
			t.Fatalf("seed %d: round trip (-want +got):\n%s", seed, d)
		}
		used = got.(Everything)
	}
}

// fill sets v to something random, nil and empty and zero often among it.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	if !v.CanSet() {
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		switch t := time.Unix(r.Int64N(1<<36)-1<<35, r.Int64N(1e9)); r.IntN(4) {
		case 0:
			v.SetZero()
		case 1:
			v.Set(reflect.ValueOf(t.UTC()))
		case 2:
			v.Set(reflect.ValueOf(t))
		default:
			v.Set(reflect.ValueOf(t.In(time.FixedZone("", r.IntN(90000)-45000))))
		}
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{byte(r.UintN(256)), 2, 3, 4})))
		return
	}
	size := 0
	if depth > 0 {
		size = r.IntN(4)
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> r.IntN(64))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64() >> r.IntN(64))
	case reflect.Float32:
		v.SetFloat(float64(float32(r.NormFloat64())))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(r.Uint64()))
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(float32(r.NormFloat64())), 0.5))
	case reflect.String:
		b := make([]byte, r.IntN(3)*r.IntN(150))
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		v.SetString(string(b))
	case reflect.Pointer:
		v.SetZero()
		if size > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth-1)
		}
	case reflect.Slice:
		v.SetZero()
		if size > 0 {
			v.Set(reflect.MakeSlice(v.Type(), size-1, size-1))
			for i := range v.Len() {
				fill(r, v.Index(i), depth-1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth-1)
		}
	case reflect.Map:
		v.SetZero()
		if size > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range size - 1 {
				key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(r, key, depth-1)
				fill(r, elem, depth-1)
				v.SetMapIndex(key, elem)
			}
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(r, field, depth-1)
		}
	}
}
