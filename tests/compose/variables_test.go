package compose

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

func example(t *testing.T) map[string]string {
	t.Helper()
	variables, err := dotenv.Read(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	return variables
}

// .env.example lists what the files ask for, each with the default that it has there.
func TestTheExampleNamesEveryVariableWithItsDefault(t *testing.T) {
	asked := map[string]string{}
	for _, file := range []string{base, overlay} {
		options, err := cli.NewProjectOptions([]string{filepath.Join(root, file)}, cli.WithInterpolation(false))
		if err != nil {
			t.Fatal(err)
		}
		model, err := options.LoadModel(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for name, variable := range template.ExtractVariables(model, template.DefaultPattern) {
			asked[name] = variable.DefaultValue
		}
	}
	if offered := example(t); !maps.Equal(asked, offered) {
		t.Errorf("the compose files ask for\n%v, .env.example has\n%v", asked, offered)
	}
}

// list reads a file of names/: one name a line, perhaps with a mark behind it.
func list(content string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(content) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			names[fields[0]] = strings.Join(fields[1:], " ")
		}
	}
	return names
}

// variablesAreKnown wants every variable to be one that its image reads: a misspelt one is ignored in silence.
func variablesAreKnown(project *types.Project) (problems []string) {
	for name, service := range project.Services {
		repository, _, _ := strings.Cut(service.Image, ":")
		known, ok := knownVariables[repository]
		if !ok {
			problems = append(problems, fmt.Sprintf("%s: knownVariables says nothing of %s", name, repository))
			continue
		}
		for _, variable := range slices.Sorted(maps.Keys(service.Environment)) {
			if !known(variable) {
				problems = append(problems, fmt.Sprintf("%s: %s reads no variable %s", name, repository, variable))
			}
		}
	}
	return problems
}

// knownVariables tells by repository which variables an image or the program in it reads.
var knownVariables = map[string]func(string) bool{
	// docker-entrypoint.sh of docker-library/postgres.
	"postgres": oneOf("POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD_FILE", "POSTGRES_INITDB_ARGS", "PGDATA"),
	// docker-entrypoint.sh of docker-library/cassandra, and conf/cassandra-env.sh of Cassandra.
	"cassandra": oneOf("CASSANDRA_CLUSTER_NAME", "CASSANDRA_DC", "CASSANDRA_RACK", "CASSANDRA_SEEDS",
		"CASSANDRA_LISTEN_ADDRESS", "CASSANDRA_BROADCAST_ADDRESS", "CASSANDRA_RPC_ADDRESS", "CASSANDRA_NUM_TOKENS",
		"CASSANDRA_ENDPOINT_SNITCH", "MAX_HEAP_SIZE", "HEAP_NEWSIZE"),
	// zookeeper.properties.template of confluentinc/kafka-images; the start script is Kafka's.
	"confluentinc/cp-zookeeper": oneOf("ZOOKEEPER_CLIENT_PORT", "ZOOKEEPER_TICK_TIME", "ZOOKEEPER_SERVER_ID",
		"ZOOKEEPER_INIT_LIMIT", "ZOOKEEPER_SYNC_LIMIT", "ZOOKEEPER_MAX_CLIENT_CNXNS", "KAFKA_HEAP_OPTS"),
	"confluentinc/cp-kafka": isKafkaVariable,
	// SchemaRegistryConfig and RestConfig of confluentinc/schema-registry and rest-utils.
	"confluentinc/cp-schema-registry": oneOf("SCHEMA_REGISTRY_HOST_NAME", "SCHEMA_REGISTRY_LISTENERS",
		"SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS", "SCHEMA_REGISTRY_KAFKASTORE_TOPIC",
		"SCHEMA_REGISTRY_KAFKASTORE_TOPIC_REPLICATION_FACTOR", "SCHEMA_REGISTRY_SCHEMA_COMPATIBILITY_LEVEL",
		"SCHEMA_REGISTRY_HEAP_OPTS"),
	// control-center.properties.template of confluentinc/control-center-images, Confluent's own compose files of 7.9,
	// and "Control Center Configuration Reference" of the platform's documentation.
	"confluentinc/cp-enterprise-control-center": func(variable string) bool {
		return oneOf("CONTROL_CENTER_BOOTSTRAP_SERVERS", "CONTROL_CENTER_SCHEMA_REGISTRY_URL",
			"CONTROL_CENTER_MODE_ENABLE", "CONTROL_CENTER_CONNECT_HEALTHCHECK_ENDPOINT",
			"CONTROL_CENTER_REPLICATION_FACTOR", "CONTROL_CENTER_INTERNAL_TOPICS_PARTITIONS",
			"CONTROL_CENTER_MONITORING_INTERCEPTOR_TOPIC_PARTITIONS", "CONFLUENT_METRICS_TOPIC_REPLICATION",
			"CONTROL_CENTER_HEAP_OPTS")(variable) || connectCluster.MatchString(variable)
	},
	"sluice":         isSluiceVariable,
	"sluice-airflow": isAirflowVariable,
	// "Spark Standalone Mode" of Spark's documentation, and python/pyspark/java_gateway.py.
	"sluice-spark": oneOf("SPARK_DAEMON_MEMORY", "SPARK_PUBLIC_DNS", "SPARK_WORKER_OPTS", "PYSPARK_SUBMIT_ARGS"),
}

// The name of a Connect cluster must not have an underscore: it becomes a dot of the property.
var connectCluster = regexp.MustCompile(`^CONTROL_CENTER_CONNECT_[A-Z-]+_CLUSTER$`)

func oneOf(names ...string) func(string) bool {
	return func(variable string) bool { return slices.Contains(names, variable) }
}

func isKafkaVariable(variable string) bool {
	if variable == "KAFKA_HEAP_OPTS" || variable == "CLUSTER_ID" {
		return true // of the start script, and of the image
	}
	property, prefixed := strings.CutPrefix(variable, "KAFKA_")
	_, known := kafkaProperties[strings.ToLower(strings.ReplaceAll(property, "_", "."))]
	return prefixed && known
}

// isSluiceVariable knows what config/ refers to, the worker's settings, and the options of sluice-users.
func isSluiceVariable(variable string) bool {
	if setting, prefixed := strings.CutPrefix(variable, "CONNECT_"); prefixed {
		return slices.Contains(workerSettings, strings.ToLower(strings.ReplaceAll(setting, "_", ".")))
	}
	return slices.Contains(configReferences, variable) || slices.Contains(usersOptions, variable)
}

// isAirflowVariable knows Airflow's options; connections and settings of our own must be read by a DAG.
func isAirflowVariable(variable string) bool {
	if connection, prefixed := strings.CutPrefix(variable, "AIRFLOW_CONN_"); prefixed {
		return strings.Contains(dagSources, `"`+strings.ToLower(connection)+`"`)
	}
	option, prefixed := strings.CutPrefix(variable, "AIRFLOW__")
	if !prefixed {
		return strings.Contains(dagSources, `"`+variable+`"`)
	}
	if _, known := airflowOptions[option]; known {
		return true
	}
	option, command := strings.CutSuffix(option, "_CMD")
	return command && airflowOptions[option] == "secret"
}

// referencesAreResolved wants the sluice service to have every variable that its files refer to.
func referencesAreResolved(project *types.Project) (problems []string) {
	sluice := project.Services["sluice"]
	for _, variable := range configReferences {
		value := sluice.Environment[variable]
		fromFile := slices.ContainsFunc(sluice.Entrypoint, func(word string) bool {
			return strings.HasPrefix(word, variable+"="+secretsFolder)
		})
		if !fromFile && (value == nil || *value == "") {
			problems = append(problems, fmt.Sprintf("config/ refers to %s, which the sluice service does not set", variable))
		}
	}
	return problems
}
