// Package compose checks docker-compose.yml and what it is made of without a container engine: it loads the file with
// compose-go, the parser that Docker Compose itself uses, and holds it against rules of our own.
//
//	cd tests/compose && go vet ./... && go test ./...
//
// The rules are functions from a project to the problems they see. TestRules applies them to every set of profiles,
// with and without the KRaft overlay; TestEveryRuleCanFail breaks the file in one place each and wants to hear of it.
package compose
