// SPDX-License-Identifier: Apache-2.0
// ask SERVER DOMAIN N WORKERS: looks up the addresses of 1.DOMAIN to N.DOMAIN with Go's own resolver,
// and prints how many have one. Each look-up is two questions, A and AAAA.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

func main() {
	n, _ := strconv.Atoi(os.Args[3])
	workers, _ := strconv.Atoi(os.Args[4])
	resolver := &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, os.Args[1])
		},
	}
	var found, next atomic.Int64
	var group sync.WaitGroup
	for i := 0; i < workers; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				name := fmt.Sprintf("%d.%s", i, os.Args[2])
				addresses, err := resolver.LookupIPAddr(context.Background(), name)
				if err == nil && len(addresses) == 1 {
					found.Add(1)
				}
			}
		}()
	}
	group.Wait()
	fmt.Println(found.Load())
}
