package compose

import (
	_ "embed"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What programs of this repository and of others read, taken from their sources.

//go:embed names/kafka-broker.txt
var kafkaBrokerNames string

//go:embed names/airflow.txt
var airflowNames string

var (
	kafkaProperties = list(kafkaBrokerNames)
	airflowOptions  = list(airflowNames)

	configReferences = matches("config", ".properties", `(?m)^[^#\n]*\$\{env:(\w+)\}`)
	workerSettings   = matches("src/settings", ".rs", `"([\w.]+)" =>`)
	usersOptions     = matches("users/src", ".rs", `env = "(\w+)"`)
	dagSources       = strings.Join(matches("airflow/dags", ".py", `(?s)^(.*)$`), "\n")
)

// matches returns the first group of a pattern wherever it fits in the files of a folder.
func matches(folder, extension, pattern string) (found []string) {
	expression := regexp.MustCompile(pattern)
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != extension {
			return err
		}
		content, err := os.ReadFile(path)
		for _, match := range expression.FindAllStringSubmatch(string(content), -1) {
			found = append(found, match[1])
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	return found
}
