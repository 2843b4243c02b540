package guess

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"invoice_no", "Customer", "amount", "id"}
	for name, tt := range map[string]struct{ word, want string }{
		"a letter missing":   {"invoce_no", "invoice_no"},
		"case":               {"customer", "Customer"},
		"swapped":            {"amuont", "amount"},
		"nothing near":       {"delivery", ""},
		"short words differ": {"xyz", ""},
		"empty":              {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Nearest(tt.word, known); got != tt.want {
				t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"straße", "strasse", 2}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
