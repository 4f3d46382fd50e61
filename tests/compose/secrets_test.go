package compose

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

const secretsFolder = "/run/secrets/"

var secretPath = regexp.MustCompile(secretsFolder + `([\w.-]+)`)

// secretsAreGranted wants a service to be given the secrets that it is told to read, and no others.
func secretsAreGranted(project *types.Project) (problems []string) {
	for name, service := range project.Services {
		told := text(service)
		for _, volume := range service.Volumes {
			if content, err := os.ReadFile(volume.Source); err == nil {
				told += string(content)
			}
		}
		granted := map[string]bool{}
		for _, secret := range service.Secrets {
			granted[secret.Source] = true
		}
		for _, match := range secretPath.FindAllStringSubmatch(told, -1) {
			if !granted[match[1]] {
				problems = append(problems, fmt.Sprintf("%s: reads %s, which it is not granted", name, match[0]))
			}
		}
		for secret := range granted {
			if !strings.Contains(told, secretsFolder+secret) {
				problems = append(problems, fmt.Sprintf("%s: is granted %s and does not read it", name, secret))
			}
		}
	}
	return problems
}

var (
	secretName   = regexp.MustCompile(`(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS|[A-Z]+_KEY)S?(_CMD|_FILE)?$`)
	harmless     = regexp.MustCompile(`^(cat )?/[\w./-]+$`) // where a secret is, not what it is
	inAddress    = regexp.MustCompile(`://[^\s/@:]*:[^\s/@]+@`)
	inConnection = regexp.MustCompile(`(?i)password=[^\s/]`)
)

// noSecretIsInClear looks at the names of variables, and for passwords in addresses and connection strings.
func noSecretIsInClear(project *types.Project) (problems []string) {
	for name, service := range project.Services {
		for variable, value := range service.Environment {
			if value != nil && secretName.MatchString(variable) && !harmless.MatchString(*value) {
				problems = append(problems, fmt.Sprintf("%s: %s holds a secret instead of naming its file", name, variable))
			}
		}
		told := text(service)
		if inAddress.MatchString(told) {
			problems = append(problems, name+": there is a password in an address")
		}
		if inConnection.MatchString(told) {
			problems = append(problems, name+": there is a value behind password=")
		}
	}
	return problems
}

func TestSettingsOfTheExampleAreNoSecrets(t *testing.T) {
	for name := range example(t) {
		if secretName.MatchString(name) {
			t.Errorf(".env.example sets %s, which belongs to docker/secrets.sh", name)
		}
	}
}

// makeSecrets runs docker/secrets.sh for real and returns the content of every file by its name.
func makeSecrets(t *testing.T, folder string) map[string]string {
	t.Helper()
	if output, err := exec.Command("sh", filepath.Join(root, "docker/secrets.sh"), folder).CombinedOutput(); err != nil {
		t.Fatalf("docker/secrets.sh: %v\n%s", err, output)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(content)
	}
	return files
}

func TestSecretsStayWhenTheyAreMadeAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "secrets")

	first, second := makeSecrets(t, folder), makeSecrets(t, folder)

	if !maps.Equal(first, second) {
		t.Error("the second run of docker/secrets.sh changed something")
	}
}

func TestSecretsAreRandom(t *testing.T) {
	first, second := makeSecrets(t, t.TempDir()), makeSecrets(t, t.TempDir())

	for name, content := range first {
		if len(content) < 24 {
			t.Errorf("%s has %d characters", name, len(content))
		}
		if second[name] == content {
			t.Errorf("%s is the same in two folders", name)
		}
	}
}

func TestALostSecretComesBackWhereverItIsUsed(t *testing.T) {
	folder := t.TempDir()
	before := makeSecrets(t, folder)
	if err := os.Remove(filepath.Join(folder, "users_app_password")); err != nil {
		t.Fatal(err)
	}

	after := makeSecrets(t, folder)

	for _, name := range []string{"users_app_settings", "airflow_connections.env"} {
		if !strings.Contains(after[name], after["users_app_password"]) || after[name] == before[name] {
			t.Errorf("%s does not hold the new password", name)
		}
	}
	if after["airflow_database_url"] != before["airflow_database_url"] {
		t.Error("a secret that was there has changed")
	}
}

// The containers run as other users than the owner of the files, and nobody else may come near them.
func TestSecretsAreReadableBehindAClosedFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "secrets")
	names := makeSecrets(t, folder)

	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, want 0700", info.Mode())
	}
	for name := range names {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o444 {
			t.Errorf("%s is %v, want 0444", name, info.Mode())
		}
	}
}

func TestEverySecretIsMadeByTheScript(t *testing.T) {
	made := makeSecrets(t, t.TempDir())
	for name, secret := range load(t, everything).Secrets {
		if filepath.Base(filepath.Dir(secret.File)) != "secrets" || filepath.Base(secret.File) != name {
			t.Errorf("secret %s is %s, want secrets/%s", name, secret.File, name)
		}
		if _, ok := made[name]; !ok {
			t.Errorf("docker/secrets.sh makes no %s", name)
		}
	}
}

func TestSecretsStayOutOfGitAndOfImages(t *testing.T) {
	for file, line := range map[string]string{".gitignore": "/secrets\n", ".dockerignore": "\nsecrets\n"} {
		if !strings.Contains(read(t, file), line) {
			t.Errorf("%s does not name the folder secrets", file)
		}
	}
}

func TestWithSecretsPassesFilesAsVariables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("a b$c\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(root, "docker/with-secrets.sh")

	show := `printf '%s|%s' "$NAME" "$1"`
	output, err := exec.Command("sh", script, "NAME="+file, "sh", "-c", show, "sh", "x=y z").Output()
	if err != nil || string(output) != "a b$c|x=y z" {
		t.Errorf("answers %q, %v", output, err)
	}

	output, err = exec.Command("sh", script, "NAME="+file+".lost", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "docker/secrets.sh makes the secrets") {
		t.Errorf("with a file that is lost it answers %q, %v", output, err)
	}
}
