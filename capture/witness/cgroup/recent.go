package cgroup

// recent remembers what was used last: between size and twice as many.
type recent[K comparable, V any] struct {
	size     int
	now, old map[K]V
}

func (r *recent[K, V]) get(k K) (v V, ok bool) {
	if v, ok = r.now[k]; ok {
		return v, true
	}
	if v, ok = r.old[k]; ok {
		r.put(k, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	if r.now == nil || len(r.now) >= r.size {
		r.now, r.old = make(map[K]V), r.now
	}
	r.now[k] = v
}

func (r *recent[K, V]) drop(k K) {
	delete(r.now, k)
	delete(r.old, k)
}
