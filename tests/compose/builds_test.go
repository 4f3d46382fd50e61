package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dockerfiles maps each Dockerfile to the folder that its COPY instructions begin in.
var dockerfiles = map[string]string{
	"Dockerfile":         ".",
	"airflow/Dockerfile": "airflow",
	"spark/Dockerfile":   "spark",
}

// instructions returns the arguments of one kind of instruction, flags aside.
func instructions(t *testing.T, dockerfile, kind string) (found [][]string) {
	t.Helper()
	for line := range strings.Lines(read(t, dockerfile)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != kind {
			continue
		}
		var arguments []string
		for _, word := range words[1:] {
			if !strings.HasPrefix(word, "--chmod=") && !strings.HasPrefix(word, "--chown=") {
				arguments = append(arguments, word)
			}
		}
		found = append(found, arguments)
	}
	return found
}

func TestEveryBuildHasItsDockerfile(t *testing.T) {
	for name, service := range load(t, everything).Services {
		if service.Build == nil {
			continue
		}
		path := filepath.Join(filepath.Base(service.Build.Context), service.Build.Dockerfile)
		if service.Build.Context == absolute(t, root) {
			path = service.Build.Dockerfile
		}
		if folder, known := dockerfiles[path]; !known || folder != filepath.Dir(path) {
			t.Errorf("%s is built from %s, which no test knows", name, path)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	result, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestDockerfilesBuildOnPinnedImages(t *testing.T) {
	for dockerfile := range dockerfiles {
		stages := map[string]bool{}
		for _, from := range instructions(t, dockerfile, "FROM") {
			if !pinned(from[0]) && !stages[from[0]] {
				t.Errorf("%s: image %q has no full version", dockerfile, from[0])
			}
			if len(from) == 3 {
				stages[from[2]] = true
			}
		}
	}
}

func TestDockerfilesCopyWhatIsThere(t *testing.T) {
	ignored := strings.Split(read(t, ".dockerignore"), "\n")
	for dockerfile, folder := range dockerfiles {
		for _, paths := range instructions(t, dockerfile, "COPY") {
			if strings.HasPrefix(paths[0], "--from=") {
				continue
			}
			for _, source := range paths[:len(paths)-1] {
				if _, err := os.Stat(filepath.Join(root, folder, source)); err != nil {
					t.Errorf("%s copies %s: %v", dockerfile, source, err)
				}
				for _, line := range ignored {
					if folder == "." && line != "" && strings.HasPrefix(source, line+"/") {
						t.Errorf("%s copies %s, which .dockerignore leaves out", dockerfile, source)
					}
				}
			}
		}
	}
}

// A lock file names the version that the image, or the other half of the program, must also have.
func TestVersionsAgree(t *testing.T) {
	cases := []struct{ oneFile, onePattern, otherFile, otherPattern string }{
		{"Dockerfile", `FROM rust:(\S+)-bookworm`, "rust-toolchain.toml", `channel = "(\S+)"`},
		{"airflow/Dockerfile", `FROM apache/airflow:(\S+)-python`, "airflow/requirements.lock", `(?m)^apache-airflow==(\S+)`},
		{"airflow/Dockerfile", `-python(\d+\.\d+)`, "airflow/requirements.lock", `--python-version (\d+\.\d+)`},
		{"spark/Dockerfile", `/lib/python(\d+\.\d+)/`, "spark/Dockerfile", `FROM python:(\d+\.\d+)\.`},
		{"spark/Dockerfile", `FROM python:(\d+\.\d+)\.`, "airflow/Dockerfile", `-python(\d+\.\d+)`},
		{"spark/pom.xml", `<spark\.version>(\S+)</`, "spark/requirements.lock", `(?m)^pyspark==(\S+)`},
		{"tests/compose/names/airflow.txt", `Options of Airflow (\S+),`, "airflow/requirements.lock", `(?m)^apache-airflow==(\S+)`},
		{".env.example", `USERS_INGEST_RESULTS=(\d+)`, "airflow/dags/users_ingest.py", `"USERS_INGEST_RESULTS", (\d+)`},
		{".env.example", `USERS_INGEST_EVERY_SECONDS=(\d+)`, "airflow/dags/users_ingest.py", `"USERS_INGEST_EVERY_SECONDS", (\d+)`},
	}
	for _, c := range cases {
		one, other := version(t, c.oneFile, c.onePattern), version(t, c.otherFile, c.otherPattern)
		if one != other {
			t.Errorf("%s says %s, %s says %s", c.oneFile, one, c.otherFile, other)
		}
	}
}

func version(t *testing.T, file, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(read(t, file))
	if match == nil {
		t.Fatalf("%s has nothing like %s", file, pattern)
	}
	return match[1]
}

// All parts of Confluent's platform are released together, and the overlay must not mix two.
func TestConfluentImagesAreOfOneRelease(t *testing.T) {
	releases := map[string]string{}
	for name, service := range load(t, variant{[]string{base, overlay}, []string{"*"}}).Services {
		if tag, ok := strings.CutPrefix(service.Image, "confluentinc/"); ok {
			_, release, _ := strings.Cut(tag, ":")
			releases[release] = name
		}
	}
	if len(releases) != 1 {
		t.Errorf("releases of Confluent's images: %v", releases)
	}
}
