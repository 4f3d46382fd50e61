package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
)

// conditionsHold wants every dependency to be able to fulfil its condition. That the profiles start it, the parser checks.
func conditionsHold(project *types.Project) (problems []string) {
	report := func(format string, values ...any) { problems = append(problems, fmt.Sprintf(format, values...)) }
	for name, service := range project.Services {
		for target, dependency := range service.DependsOn {
			other := project.Services[target]
			check := other.HealthCheck
			switch {
			case dependency.Condition == types.ServiceConditionCompletedSuccessfully && !oneShot(other):
				report("%s: waits for the end of %s, which runs on", name, target)
			case dependency.Condition == types.ServiceConditionHealthy &&
				(check == nil || check.Disable || len(check.Test) == 0 || check.Test[0] == "NONE"):
				report("%s: waits for %s, which has no health check", name, target)
			case dependency.Condition == types.ServiceConditionStarted:
				report("%s: waits for %s on %s, which says nothing", name, target, dependency.Condition)
			}
		}
	}
	return problems
}

var (
	// Versions of three numbers, as 5.0.9 or 3.3.2-python3.11 …
	threeNumbers = regexp.MustCompile(`:v?\d+\.\d+\.\d+[\w.-]*$`)
	// … but of two where the project has no third.
	twoNumbers = regexp.MustCompile(`^(postgres|debian):\d+\.\d+[\w.-]*$`)
)

func pinned(image string) bool {
	return threeNumbers.MatchString(image) || twoNumbers.MatchString(image)
}

// imagesArePinned wants a full version of every image that is not built from this repository.
func imagesArePinned(project *types.Project) (problems []string) {
	var built []string
	for _, service := range project.Services {
		if service.Build != nil {
			built = append(built, service.Image)
		}
	}
	for name, service := range project.Services {
		if !pinned(service.Image) && !slices.Contains(built, service.Image) {
			problems = append(problems, fmt.Sprintf("%s: image %q has no full version, and none builds it", name, service.Image))
		}
	}
	return problems
}

// portsAreUnique also wants them on the loopback interface: hardly anything behind them asks who is there.
func portsAreUnique(project *types.Project) (problems []string) {
	owners := map[string]string{}
	for name, service := range project.Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				problems = append(problems, fmt.Sprintf(
					"%s: port %s is published on %q, want 127.0.0.1", name, port.Published, port.HostIP))
			}
			if owner, taken := owners[port.Published]; taken {
				problems = append(problems, fmt.Sprintf("%s and %s publish port %s", name, owner, port.Published))
			}
			owners[port.Published] = name
		}
	}
	return problems
}

func TestEveryPortCanBeMoved(t *testing.T) {
	var moved []string
	for name, value := range example(t) {
		if strings.HasSuffix(name, "_PORT") {
			moved = append(moved, name+"=1"+value)
		}
	}
	before := load(t, everything)
	for name, service := range load(t, everything, moved...).Services {
		for index, port := range service.Ports {
			if want := "1" + before.Services[name].Ports[index].Published; port.Published != want {
				t.Errorf("%s: port is %s with %v, want %s", name, port.Published, moved, want)
			}
		}
	}
}

// mountsExist wants files to be there and volumes to be declared and used. Development's passwords stay outside.
func mountsExist(project *types.Project) (problems []string) {
	used := map[string]bool{}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if strings.Contains(volume.Source, "development") {
				problems = append(problems, fmt.Sprintf("%s: mounts %s", name, volume.Source))
			}
			if volume.Type != types.VolumeTypeBind {
				used[volume.Source] = true
			} else if _, err := os.Stat(volume.Source); err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", name, err))
			}
		}
	}
	for volume := range used {
		if _, declared := project.Volumes[volume]; !declared {
			problems = append(problems, fmt.Sprintf("volume %q is not declared", volume))
		}
	}
	return problems
}

func TestEveryVolumeIsUsed(t *testing.T) {
	for _, files := range [][]string{{base}, {base, overlay}} {
		project := load(t, variant{files, []string{"*"}})
		for volume := range project.Volumes {
			if !mounts(project, volume) {
				t.Errorf("%v: nothing mounts volume %q", files, volume)
			}
		}
	}
}

func mounts(project *types.Project, volume string) bool {
	for _, service := range project.Services {
		for _, mount := range service.Volumes {
			if mount.Source == volume {
				return true
			}
		}
	}
	return false
}

// The image runs the files of one folder in the order of their names: all of ours, but other passwords.
func TestPostgresRunsItsFilesInTheirOrder(t *testing.T) {
	const folder = "/docker-entrypoint-initdb.d/"
	sources := map[string]string{}
	for _, volume := range load(t, everything).Services["postgres"].Volumes {
		if name, ok := strings.CutPrefix(volume.Target, folder); ok {
			sources[name] = volume.Source
		}
	}
	paths, err := filepath.Glob(filepath.Join(root, "postgres-init", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in postgres-init: %v", err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		source := sources[name]
		if name == "002-development-passwords.sql" {
			name, path = "002-passwords.sql", filepath.Join(root, "docker/postgres/passwords.sql")
			source = sources[name]
		}
		if want := absolute(t, path); source != want {
			t.Errorf("%s is %q in the container, want %q", name, source, want)
		}
		// The image runs a script that may be executed, and reads any other into its own shell, with its settings.
		if info, err := os.Stat(path); err != nil || filepath.Ext(path) == ".sh" && info.Mode()&0o100 == 0 {
			t.Errorf("%s cannot be executed: %v", path, err)
		}
		delete(sources, name)
	}
	for name := range sources {
		t.Errorf("%s is mounted and not in postgres-init", name)
	}
}

// servicesAreKeptInCheck wants limits on memory, logs and privileges, and no name that a second copy would also want.
func servicesAreKeptInCheck(project *types.Project) (problems []string) {
	for name, service := range project.Services {
		if service.MemLimit == 0 {
			problems = append(problems, name+": no memory limit")
		}
		if service.Restart == "" {
			problems = append(problems, name+": no restart policy")
		}
		if service.ContainerName != "" {
			problems = append(problems, name+": a fixed container name stops a second copy from starting")
		}
		if service.Logging == nil || service.Logging.Options["max-size"] == "" || service.Logging.Options["max-file"] == "" {
			problems = append(problems, name+": its log grows without end")
		}
		if !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
			problems = append(problems, name+": no-new-privileges is not set")
		}
	}
	return problems
}

// The plan: the core for a machine of 8 GB, everything but Control Center for one of 16 GB.
func TestMemoryStaysWithinThePlan(t *testing.T) {
	plan := map[string]string{
		"": "5.6g", "demo": "5.9g", "airflow": "7.5g", "spark": "8.7g", "control-center": "7.2g", "full": "10.5g",
	}
	for profile, limit := range plan {
		most, err := units.RAMInBytes(limit)
		if err != nil {
			t.Fatal(err)
		}
		var sum types.UnitBytes
		for _, service := range load(t, variant{[]string{base}, []string{profile}}).Services {
			if !oneShot(service) { // these have ended when the others have started
				sum += service.MemLimit
			}
		}
		if int64(sum) > most {
			t.Errorf("profile %q may take %s, planned are %s", profile, units.BytesSize(float64(sum)), limit)
		}
	}
}
