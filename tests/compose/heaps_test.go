package compose

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
)

// Share of a container's memory that its heaps may take: stacks, buffers and the JVM itself need the rest.
const heapShare = 0.75

var (
	largestHeap = regexp.MustCompile(`-Xmx(\d+[kmg])`)
	// Spark starts a JVM of its own beside the executor, and one per driver.
	sparkMemory = regexp.MustCompile(`--(?:driver-memory|memory)\n(\d+[kmg])`)
	jvmImages   = regexp.MustCompile(`^(confluentinc/|cassandra:|sluice-spark:)`)
)

// heapsFit wants the JVM of a container to be told how much it may take, and that to leave room in the limit.
func heapsFit(project *types.Project) (problems []string) {
	executors := executorHeap(project)
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
			problems = append(problems, fmt.Sprintf("%s: heaps of %d MiB in a limit of %d MiB", name, heap>>20, service.MemLimit>>20))
		}
	}
	return problems
}

// heapsOf lists the largest heap of each JVM in a container.
func heapsOf(service types.ServiceConfig, executors string) (sizes []string) {
	for variable, value := range service.Environment {
		switch {
		case strings.HasSuffix(variable, "_HEAP_OPTS"):
			sizes = append(sizes, largestHeap.FindStringSubmatch(*value)[1:]...)
		case variable == "MAX_HEAP_SIZE" || variable == "SPARK_DAEMON_MEMORY":
			sizes = append(sizes, *value)
		}
	}
	command := strings.Join(service.Command, "\n")
	switch {
	case strings.Contains(command, "spark-submit"):
		sizes = append(sizes, sparkMemory.FindStringSubmatch(command)[1:]...)
	case strings.Contains(command, "deploy.worker.Worker"):
		sizes = append(sizes, executors)
	}
	return sizes
}

// executorHeap is what the driver asks of a worker.
func executorHeap(project *types.Project) string {
	command := strings.Join(project.Services["users-stats"].Command, "\n")
	if match := regexp.MustCompile(`--executor-memory\n(\d+[kmg])`).FindStringSubmatch(command); match != nil {
		return match[1]
	}
	return "0"
}
