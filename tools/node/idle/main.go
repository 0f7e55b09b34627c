// Command idle is what the pods of the tests run, in images that hold nothing else: it waits for a signal to end, or ends
// by itself after the time that its argument gives.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	if len(os.Args) < 2 {
		<-told
		return
	}
	duration, err := time.ParseDuration(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	select {
	case <-told:
		os.Exit(143)
	case <-time.After(duration):
		fmt.Println("done")
	}
}
