package execute

import (
	"reflect"
	"slices"
	"testing"

	"firn/init/internal/unit"
)

func TestExpandArgs(t *testing.T) {
	t.Parallel()
	env := []string{"A=one", "B=two  words 'and three'", "EMPTY=", "A=last"}
	for _, tt := range []struct{ in, want []string }{
		{[]string{"$A", "$A"}, []string{"$A", "last"}},
		{[]string{"p", "$B"}, []string{"p", "two", "words", "and three"}},
		{[]string{"p", "${B}"}, []string{"p", "two  words 'and three'"}},
		{[]string{"p", "$EMPTY", "${EMPTY}", "$NONE", "${NONE}"}, []string{"p", "", ""}},
		{[]string{"p", "x${A}y", "a$A", "$$A", "$${A}", "100$"}, []string{"p", "xlasty", "a$A", "$A", "${A}", "100$"}},
		{[]string{"p", "${NONE:-${A}}", "${A:+there}", "${NONE:+there}", "${EMPTY:-dflt}"}, []string{"p", "last", "there", "", "dflt"}},
		{[]string{"p", "${not a name}", "${", "$", "$1"}, []string{"p", "${not a name}", "${", "$", "$1"}},
		{nil, nil},
	} {
		if got := expandArgs(tt.in, env); !slices.Equal(got, tt.want) {
			t.Errorf("%q gives %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestParseEnvFile(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		want []string
		bad  bool
	}{
		"plain":        {"A=1\nB=two words  \n\n", []string{"A=1", "B=two words"}, false},
		"comments":     {"# A=1\n; B=2\nC=3 # not a comment\n", []string{"C=3 # not a comment"}, false},
		"quotes":       {"A=\"x y\"\nB='$z \\n'\nC=\"a\\\"b\"\nD=\"\"\n", []string{"A=x y", `B=$z \n`, `C=a"b`, "D="}, false},
		"continuation": {"A=one\\\ntwo\nB=\"line\nend\"\n", []string{"A=onetwo", "B=line\nend"}, false},
		"blanks":       {"  A =  x\t\n", []string{"A=x"}, false},
		"no end":       {"A=1", []string{"A=1"}, false},
		"bad line":     {"export A=1\nB=2\n", []string{"B=2"}, true},
		"no equals":    {"A\nB=2\n", []string{"B=2"}, true},
		"empty":        {"", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseEnvFile(tt.text)
			if !slices.Equal(got, tt.want) || (err != nil) != tt.bad {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzParseEnvFile(f *testing.F) {
	f.Add("A=1\nB=\"x\\\n y\"\n#c\nC='")
	f.Fuzz(func(t *testing.T, text string) {
		env, _ := parseEnvFile(text)
		for _, v := range env {
			if v == "" || v[0] == '=' {
				t.Errorf("nameless %q", v)
			}
		}
	})
}

func TestMergeUnset(t *testing.T) {
	t.Parallel()
	got := unset(merge([]string{"A=1", "B=1"}, []string{"B=2", "C=3"}, []string{"A=4", "D=5"}), []string{"C", "D=5", "A=9"})
	if want := []string{"A=4", "B=2"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

const (
	passwdText = "root:x:0:0:root:/root:/bin/bash\nbroken\nsshd:x:105:65534::/run/sshd:/usr/sbin/nologin\nbad:x:y:1::/:/\n"
	groupText  = "root:x:0:\nwww:x:33:sshd,other\nadm:x:4:sshd\nbroken:x\n"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	u, ok := findUser(passwdText, "sshd")
	if !ok || u.uid != 105 || u.gid != 65534 || u.home != "/run/sshd" {
		t.Errorf("%+v %v", u, ok)
	}
	if u, ok := findUser(passwdText, "105"); !ok || u.name != "sshd" {
		t.Errorf("%+v %v", u, ok)
	}
	if u, ok := findUser(passwdText, "4711"); !ok || u.uid != 4711 {
		t.Errorf("%+v %v", u, ok)
	}
	for _, name := range []string{"none", "bad", ""} {
		if u, ok := findUser(passwdText, name); ok {
			t.Errorf("%q is %+v", name, u)
		}
	}
	if got := groupsOf(groupText, "sshd"); !slices.Equal(got, []uint32{33, 4}) {
		t.Errorf("groups %v", got)
	}
	if gid, err := findGroup(groupText, "www"); gid != 33 || err != nil {
		t.Errorf("%d %v", gid, err)
	}
	if _, err := findGroup(groupText, "none"); err == nil {
		t.Error("a group that is not there was found")
	}
}

func TestDynamicUID(t *testing.T) {
	t.Parallel()
	a, ok := DynamicUID("web", func(uint32) bool { return false })
	b, _ := DynamicUID("web", func(u uint32) bool { return u == a })
	if !ok || a < 61184 || a > 65519 || b == a || b < 61184 || b > 65519 {
		t.Errorf("%d %d", a, b)
	}
	if _, ok := DynamicUID("web", func(uint32) bool { return true }); ok {
		t.Error("a number was found where all are taken")
	}
}

// fill sets every field of a value that the codec may carry to something else than its zero.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString("text \xff " + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(-int64(*n % 100))
	default:
		v.SetUint(uint64(*n % 100))
	}
}

// parentOnly are what PID 1 acts on, not the stage.
var parentOnly = []string{"PAMName", "MountAPIVFS", "Binds", "TemporaryFileSystems", "PassEnvironment", "TTYVTDisallocate",
	"SyslogIdentifier", "SyslogFacility", "SyslogLevel", "SyslogLevelPrefix", "LogLevelMax", "UtmpIdentifier", "UtmpMode",
	"RuntimeDirectoryPreserve", "ImportCredentials", "PrivateTmp"}

// TestCodec: each field comes back, so that none which is added to the stage's settings is forgotten on the way.
func TestCodec(t *testing.T) {
	t.Parallel()
	var d Description
	n := 0
	fill(reflect.ValueOf(&d).Elem(), &n)
	exec := reflect.ValueOf(&d.Exec).Elem()
	for _, name := range parentOnly {
		f := exec.FieldByName(name)
		if !f.IsValid() {
			t.Errorf("there is no field %s", name)
			continue
		}
		f.SetZero()
	}
	got, err := Decode(d.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, d) {
		t.Errorf("\n%+v, want\n%+v", *got, d)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add((&Description{Unit: "a.service", Command: unit.Command{Path: "/bin/true", Argv: []string{"true"}}}).Encode())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode(d.Encode())
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Errorf("%+v became %+v, %v", d, again, err)
		}
	})
}
