package compose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
)

// Share of a container's memory that its heaps may take: stacks, buffers and the JVM itself need the rest.
const heapShare = 0.75

var (
	largestHeap = regexp.MustCompile(`-Xmx(\d+[kmg])`)
	driverHeap  = regexp.MustCompile(`--driver-memory (\d+[kmg])`)
	// What the driver asks of a worker.
	executorHeap = regexp.MustCompile(`--executor-memory (\d+[kmg])`)
	jvmImages    = regexp.MustCompile(`^(confluentinc/|cassandra:|sluice-spark:)`)
)

// heapsFit wants the JVM of a container to be told how much it may take, and that to leave room in the limit.
func heapsFit(project *types.Project) (problems []string) {
	executors := sizes(executorHeap, text(project.Services["users-stats"]))
	for name, service := range project.Services {
		if !jvmImages.MatchString(service.Image) {
			continue
		}
		var heap int64
		for _, size := range heapsOf(service, executors) {
			bytes, err := units.RAMInBytes(size)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s: heap %q: %v", name, size, err))
			}
			heap += bytes
		}
		if heap == 0 {
			problems = append(problems, name+": no heap is set; a JVM takes a quarter of the machine")
		} else if float64(heap) > heapShare*float64(service.MemLimit) {
			problems = append(problems, fmt.Sprintf(
				"%s: heaps of %d MiB in a limit of %d MiB", name, heap>>20, service.MemLimit>>20))
		}
	}
	return problems
}

// heapsOf lists the largest heap of each JVM in a container.
func heapsOf(service types.ServiceConfig, executors []string) (heaps []string) {
	for variable, value := range service.Environment {
		switch {
		case strings.HasSuffix(variable, "_HEAP_OPTS"):
			heaps = append(heaps, sizes(largestHeap, *value)...)
		case variable == "MAX_HEAP_SIZE" || variable == "SPARK_DAEMON_MEMORY":
			heaps = append(heaps, *value)
		case variable == "PYSPARK_SUBMIT_ARGS":
			heaps = append(heaps, sizes(driverHeap, *value)...)
		}
	}
	if slices.Contains(service.Command, "org.apache.spark.deploy.worker.Worker") {
		heaps = append(heaps, executors...) // a JVM of its own beside the worker's
	}
	return heaps
}

// sizes returns what a pattern finds, which is nothing or one size.
func sizes(pattern *regexp.Regexp, text string) []string {
	if match := pattern.FindStringSubmatch(text); match != nil {
		return match[1:]
	}
	return nil
}
