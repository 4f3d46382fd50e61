// Package compose checks docker-compose.yml without a container engine: it loads the file with all profiles, as
// Docker does, and holds it against rules of our own.
//
//	cd tests/compose && go test ./...
//
// It is not part of `cargo xtask test`, because it needs Go.
package compose

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
)

const root = "../.."

// pinned wants a version with at least one dot: 17.11, 5.0.9, 7.9.8.
var pinned = regexp.MustCompile(`:v?\d+\.\d+[\w.-]*$`)

// local is the image that the file builds itself.
const local = "sluice:local"

func load(t *testing.T, env ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions(
		[]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithWorkingDirectory(root),
		cli.WithName("sluice"),
		cli.WithEnv(env),
		cli.WithProfiles([]string{"*"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestServices(t *testing.T) {
	project := load(t)
	for _, name := range []string{"postgres", "zookeeper", "kafka", "schema-registry", "cassandra", "control-center", "sluice"} {
		if _, ok := project.Services[name]; !ok {
			t.Errorf("service %s is missing", name)
		}
	}
}

func TestHealthyDependenciesHaveHealthChecks(t *testing.T) {
	project := load(t)
	for name, service := range project.Services {
		for target, dependency := range service.DependsOn {
			check := project.Services[target].HealthCheck
			if dependency.Condition != types.ServiceConditionHealthy {
				t.Errorf("%s: waits for %s on condition %q, want service_healthy", name, target, dependency.Condition)
			}
			if check == nil || check.Disable || len(check.Test) == 0 {
				t.Errorf("%s: waits for %s, which has no health check", name, target)
			}
		}
	}
}

func TestImagesArePinned(t *testing.T) {
	for name, service := range load(t).Services {
		if service.Image != local && !pinned.MatchString(service.Image) {
			t.Errorf("%s: image %q has no pinned version", name, service.Image)
		}
	}
}

func TestDockerfileImagesArePinned(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(content), "\n") {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == "FROM" && !pinned.MatchString(words[1]) {
			t.Errorf("Dockerfile: image %q has no pinned version", words[1])
		}
	}
}

func TestPortsAreUniqueAndOnLoopback(t *testing.T) {
	owners := map[string]string{}
	for name, service := range load(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is published on %q, want 127.0.0.1", name, port.Published, port.HostIP)
			}
			if owner, taken := owners[port.Published]; taken {
				t.Errorf("%s and %s publish port %s", name, owner, port.Published)
			}
			owners[port.Published] = name
		}
	}
}

// Every variable of .env.example is read by the file, and moving all ports moves all of them.
func TestPortsAreOverridable(t *testing.T) {
	example, err := dotenv.Read(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	var moved []string
	for name, value := range example {
		if strings.HasSuffix(name, "_PORT") {
			moved = append(moved, name+"=1"+value)
		}
	}
	before := load(t)
	for name, service := range load(t, moved...).Services {
		for index, port := range service.Ports {
			if want := "1" + before.Services[name].Ports[index].Published; port.Published != want {
				t.Errorf("%s: port is %s with %v, want %s", name, port.Published, moved, want)
			}
		}
	}
}

func TestMountsExist(t *testing.T) {
	project := load(t)
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type == types.VolumeTypeBind {
				if _, err := os.Stat(volume.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := project.Volumes[volume.Source]; !ok {
				t.Errorf("%s: volume %q is not declared", name, volume.Source)
			}
		}
	}
}

// The connector files may refer only to variables that the container is given.
func TestConfigVariablesAreSet(t *testing.T) {
	sluice := load(t).Services["sluice"]
	reference := regexp.MustCompile(`\$\{env:(\w+)\}`)
	for _, volume := range sluice.Volumes {
		if volume.Type != types.VolumeTypeBind {
			continue
		}
		content, err := os.ReadFile(volume.Source)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(content), "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			for _, match := range reference.FindAllStringSubmatch(line, -1) {
				if value := sluice.Environment[match[1]]; value == nil || *value == "" {
					t.Errorf("%s refers to %s, which the sluice service does not set", filepath.Base(volume.Source), match[1])
				}
			}
		}
	}
}

func TestLongRunningServicesAreLimited(t *testing.T) {
	for name, service := range load(t).Services {
		if service.MemLimit == 0 {
			t.Errorf("%s: no memory limit", name)
		}
		if service.Restart == "" && len(service.Profiles) == 0 {
			t.Errorf("%s: no restart policy", name)
		}
		if service.ContainerName != "" {
			t.Errorf("%s: a fixed container name blocks a second copy", name)
		}
	}
}
