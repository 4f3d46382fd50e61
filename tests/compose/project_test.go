package compose

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const (
	root    = "../.."
	base    = "docker-compose.yml"
	overlay = "docker-compose.kraft.yml"
)

// variant is one way to start the file.
type variant struct {
	files    []string
	profiles []string
}

func (v variant) String() string {
	name := strings.Join(v.profiles, "+")
	if name == "" {
		name = "core"
	}
	if slices.Contains(v.files, overlay) {
		name += ",kraft"
	}
	return name
}

// variants lists every profile alone, all of them, and the core, each with ZooKeeper and with KRaft.
func variants() []variant {
	var all []variant
	for _, files := range [][]string{{base}, {base, overlay}} {
		for _, profiles := range [][]string{
			nil, {"airflow"}, {"spark"}, {"control-center"}, {"demo"}, {"full"},
			{"airflow", "spark", "control-center", "demo", "full"},
		} {
			all = append(all, variant{files, profiles})
		}
	}
	return all
}

// everything is the largest variant.
var everything = variant{[]string{base}, []string{"*"}}

// options says how to load the files of a variant from a folder, as `docker compose` does in the root.
func options(t *testing.T, folder string, v variant, env ...string) *cli.ProjectOptions {
	t.Helper()
	var paths []string
	for _, file := range v.files {
		paths = append(paths, filepath.Join(folder, file))
	}
	options, err := cli.NewProjectOptions(paths,
		cli.WithWorkingDirectory(root),
		cli.WithName("sluice"),
		cli.WithEnv(env),
		cli.WithProfiles(v.profiles),
	)
	if err != nil {
		t.Fatal(err)
	}
	return options
}

func load(t *testing.T, v variant, env ...string) *types.Project {
	t.Helper()
	project, err := options(t, root, v, env...).LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// oneShot tells the services that run to their end from those that run on.
func oneShot(service types.ServiceConfig) bool {
	return service.Restart == types.RestartPolicyNo
}

// text is everything that a container is told: entry point, command, environment, health check.
func text(service types.ServiceConfig) string {
	words := slices.Concat(service.Entrypoint, service.Command)
	for name, value := range service.Environment {
		if value != nil {
			words = append(words, name+"="+*value)
		}
	}
	if service.HealthCheck != nil {
		words = append(words, service.HealthCheck.Test...)
	}
	return strings.Join(words, "\n")
}

func TestTheServicesOfThePipelineAreThere(t *testing.T) {
	want := map[string][]string{
		"": {"postgres", "zookeeper", "kafka", "schema-registry", "cassandra", "sluice"},
		"airflow": {
			"randomuser", "airflow-init", "airflow-api", "airflow-scheduler", "airflow-dag-processor",
		},
		"spark":          {"users-stats-topics", "spark-master", "spark-worker", "users-stats"},
		"control-center": {"control-center"},
		"demo":           {"feeder"},
	}
	want["full"] = slices.Concat(want["airflow"], want["spark"])
	for profile, services := range want {
		v := variant{[]string{base}, []string{profile}}
		expected := slices.Concat(want[""], services)
		if profile == "" {
			v.profiles, expected = nil, services
		}
		slices.Sort(expected)
		if started := load(t, v).ServiceNames(); !slices.Equal(started, expected) {
			t.Errorf("profile %q starts %v, want %v", profile, started, expected)
		}
	}
}

func TestKnownPortsAreKept(t *testing.T) {
	want := map[string]string{
		"postgres": "5432", "zookeeper": "2181", "kafka": "9092", "schema-registry": "8081", "cassandra": "9042",
		"sluice": "8083", "randomuser": "8008", "airflow-api": "8080", "spark-master": "7077", "spark-worker": "8091",
		"users-stats": "4040", "control-center": "9021",
	}
	project := load(t, everything)
	for name, port := range want {
		if ports := project.Services[name].Ports; len(ports) == 0 || ports[0].Published != port {
			t.Errorf("%s: publishes %v, want %s first", name, ports, port)
		}
	}
}

func TestTheOverlayLeavesNoTraceOfZooKeeper(t *testing.T) {
	v := variant{[]string{base, overlay}, []string{"*"}}
	content, err := load(t, v).MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	if line := firstLineWith(string(content), "zookeeper"); line != "" {
		t.Errorf("with %s there is still %q", overlay, line)
	}
}

func firstLineWith(content, word string) string {
	for line := range strings.Lines(content) {
		if strings.Contains(strings.ToLower(line), word) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
