package compose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// rule returns the problems that it sees in a project, none if all is well.
type rule func(*types.Project) []string

var rules = map[string]rule{
	"conditions hold":            conditionsHold,
	"images are pinned":          imagesArePinned,
	"ports are unique":           portsAreUnique,
	"mounts exist":               mountsExist,
	"services are kept in check": servicesAreKeptInCheck,
	"heaps fit":                  heapsFit,
	"secrets are granted":        secretsAreGranted,
	"no secret is in clear":      noSecretIsInClear,
	"variables are known":        variablesAreKnown,
	"references are resolved":    referencesAreResolved,
}

func TestRules(t *testing.T) {
	for _, v := range variants() {
		project := load(t, v)
		for name, rule := range rules {
			for _, problem := range rule(project) {
				t.Errorf("%s (%s): %s", name, v, problem)
			}
		}
	}
}

// Each case breaks docker-compose.yml by replacing some text, and says what the rule must answer.
func TestEveryRuleCanFail(t *testing.T) {
	cases := []struct{ rule, old, new, want string }{
		{"conditions hold", "zookeeper: { condition: service_healthy }", "zookeeper: { condition: service_started }",
			"kafka: waits for zookeeper on service_started"},
		{"conditions hold", "curl -fsS http://localhost:8081/subjects > /dev/null", "[NONE]",
			"waits for schema-registry, which has no health check"},
		{"conditions hold", "airflow-init: { condition: service_completed_successfully }",
			"airflow-init: { condition: service_healthy }", "waits for airflow-init, which has no health check"},
		{"conditions hold", "sluice: { condition: service_healthy }", "sluice: { condition: service_completed_successfully }",
			"waits for the end of sluice, which runs on"},
		{"images are pinned", "image: postgres:17.11", "image: postgres:17", "postgres:17"},
		{"images are pinned", "image: cassandra:5.0.9", "image: cassandra:latest", "cassandra:latest"},
		{"images are pinned", "image: cassandra:5.0.9", "image: cassandra:5.0", "cassandra:5.0"},
		{"images are pinned", "    build: ./spark\n", "", "sluice-spark:local"},
		{"ports are unique", "${SLUICE_PORT:-8083}", "${SLUICE_PORT:-8081}", "publish port 8081"},
		{"ports are unique", "127.0.0.1:${SLUICE_PORT", "${SLUICE_PORT", "want 127.0.0.1"},
		{"mounts exist", "./config/worker.properties:", "./config/workers.properties:", "workers.properties"},
		{"mounts exist", "postgres-data:/var", "./postgres-init/002-development-passwords.sql:/var", "development"},
		{"services are kept in check", "    mem_limit: 2200m\n", "", "cassandra: no memory limit"},
		{"services are kept in check", "  init: true", "  container_name: spark\n  init: true", "second copy"},
		{"services are kept in check", "  restart: unless-stopped\n", "", "no restart policy"},
		{"services are kept in check", "max-size: 10m, ", "", "log"},
		{"services are kept in check", "  security_opt: [\"no-new-privileges:true\"]\n", "", "no-new-privileges"},
		{"heaps fit", "MAX_HEAP_SIZE: 1G", "MAX_HEAP_SIZE: 2G", "cassandra: heap"},
		{"heaps fit", "      SCHEMA_REGISTRY_HEAP_OPTS: -Xms128m -Xmx256m\n", "", "schema-registry: no heap"},
		{"heaps fit", "--executor-memory 768m", "--executor-memory 1300m", "heaps of 1556 MiB"},
		{"secrets are granted", "    secrets: [sluice_password]\n", "", "sluice_password"},
		{"secrets are granted", "secrets: [users_app_settings]", "secrets: [users_app_settings, postgres_password]",
			"feeder: is granted postgres_password"},
		{"no secret is in clear", "POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password", "POSTGRES_PASSWORD: hunter2",
			"POSTGRES_PASSWORD"},
		{"no secret is in clear", "JWT_SECRET_CMD: cat /run/secrets/airflow_jwt_secret", "JWT_SECRET_CMD: echo hunter2",
			"JWT_SECRET_CMD"},
		{"no secret is in clear", "generic://cassandra", "generic://me:hunter2@cassandra", "address"},
		{"no secret is in clear", "command: [demo]", "command: [demo, --postgres, 'user=a password=b']", "password="},
		{"variables are known", "KAFKA_BROKER_ID", "KAFKA_BROKER_IDD", "KAFKA_BROKER_IDD"},
		{"variables are known", "KAFKA_GROUP_INITIAL", "KAFKA_PORT: '1'\n      KAFKA_GROUP_INITIAL", "KAFKA_PORT"},
		{"variables are known", "AIRFLOW__CORE__PARALLELISM", "AIRFLOW__CORE__PARALELISM", "PARALELISM"},
		{"variables are known", "AIRFLOW__API_AUTH__JWT", "AIRFLOW__API__JWT", "API__JWT_SECRET"},
		{"variables are known", "AIRFLOW__API__WORKERS:", "AIRFLOW__API__WORKERS_CMD:", "WORKERS_CMD"},
		{"variables are known", "AIRFLOW_CONN_USERS_KAFKA", "AIRFLOW_CONN_USER_KAFKA", "AIRFLOW_CONN_USER_KAFKA"},
		{"variables are known", "USERS_INGEST_RESULTS:", "USERS_INGEST_PEOPLE:", "USERS_INGEST_PEOPLE"},
		{"variables are known", "SCHEMA_REGISTRY_HOST_NAME", "SCHEMA_REGISTRY_HOSTNAME", "SCHEMA_REGISTRY_HOSTNAME"},
		{"variables are known", "CONTROL_CENTER_MODE_ENABLE", "CONTROL_CENTER_MODE_ENABLED", "MODE_ENABLED"},
		{"variables are known", "ZOOKEEPER_TICK_TIME", "ZOOKEEPER_TICKTIME", "ZOOKEEPER_TICKTIME"},
		{"variables are known", "HEAP_NEWSIZE", "HEAP_NEW_SIZE", "HEAP_NEW_SIZE"},
		{"variables are known", "CONNECT_LISTENERS", "CONNECT_LISTENER", "CONNECT_LISTENER"},
		{"variables are known", "SLUICE_REGISTRY", "SLUICE_SCHEMA_REGISTRY", "SLUICE_SCHEMA_REGISTRY"},
		{"variables are known", "SPARK_PUBLIC_DNS", "SPARK_PUBLIC_NAME", "SPARK_PUBLIC_NAME"},
		{"variables are known", "POSTGRES_DB:", "POSTGRES_DATABASE:", "POSTGRES_DATABASE"},
		{"references are resolved", "      POSTGRES_HOST: postgres\n", "", "POSTGRES_HOST"},
	}
	content := read(t, base)
	untested := map[string]bool{}
	for name := range rules {
		untested[name] = true
	}
	for _, c := range cases {
		delete(untested, c.rule)
		if !strings.Contains(content, c.old) {
			t.Errorf("%s: %q is not in %s any more", c.rule, c.old, base)
			continue
		}
		broken := loadText(t, strings.ReplaceAll(content, c.old, c.new))
		if problems := strings.Join(rules[c.rule](broken), "\n"); !strings.Contains(problems, c.want) {
			t.Errorf("%s: with %q for %q it answers %q, want %q", c.rule, c.new, c.old, problems, c.want)
		}
	}
	for name := range untested {
		t.Errorf("no case breaks the rule %q", name)
	}
}

func loadText(t *testing.T, content string) *types.Project {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, base), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	project, err := options(t, folder, everything).LoadProject(context.Background())
	if err != nil {
		t.Fatalf("a case does not load: %v", err)
	}
	return project
}
