// SPDX-License-Identifier: Apache-2.0

// Clients of go-redis and pgx, which count what they ask and print it:
//
//	peer redis|postgres PORT CONCURRENCY ROUNDS    {"GET": 20, "SET": 20, ...}
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
)

var ctx = context.Background()

type counts map[string]int

func (c counts) add(others counts) {
	for name, n := range others {
		c[name] += n
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func askRedis(client *redis.Client, worker int, seen counts) {
	key := fmt.Sprint("secret-", worker)
	must(client.Set(ctx, key, "secret", 0).Err())
	must(client.Get(ctx, key).Err())
	if err := client.LPush(ctx, key, 1).Err(); err == nil {
		log.Fatal("a list in place of a string")
	}
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := 0; i < 10; i++ {
			p.Incr(ctx, key+"-n")
		}
		return nil
	})
	must(err)
	_, err = client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key+"-h", "a", 1)
		p.HGetAll(ctx, key+"-h")
		return nil
	})
	must(err)
	seen.add(counts{"SET": 1, "GET": 1, "LPUSH": 1, "INCR": 10, "MULTI": 1, "HSET": 1,
		"HGETALL": 1, "EXEC": 1})
}

func askPostgres(conn *pgx.Conn, worker int, seen counts) {
	var n int
	must(conn.QueryRow(ctx, "SELECT $1::int + 1", worker).Scan(&n))
	rows, err := conn.Query(ctx, "SELECT i FROM generate_series(1, 100) i WHERE i > $1", 50)
	must(err)
	_, err = pgx.CollectRows(rows, pgx.RowTo[int])
	must(err)
	_, err = conn.Exec(ctx, "INSERT INTO calls VALUES ($1, 'secret')", worker)
	must(err)
	var failed *pgconn.PgError
	if _, err = conn.Exec(ctx, "DELETE FROM nowhere"); !errors.As(err, &failed) {
		log.Fatal("a table that is not there")
	}
	tx, err := conn.Begin(ctx)
	must(err)
	_, err = tx.Exec(ctx, "UPDATE calls SET text = 'secret' WHERE worker = $1", -1)
	must(err)
	must(tx.Commit(ctx))
	seen.add(counts{"SELECT": 2, "INSERT calls": 1,
		"DELETE nowhere": 1, "BEGIN": 1, "UPDATE calls": 1, "COMMIT": 1})
}

func work(store, port string, worker, rounds int, client *redis.Client, seen counts) {
	if store == "redis" {
		for i := 0; i < rounds; i++ {
			askRedis(client, worker, seen)
		}
		return
	}
	conn, err := pgx.Connect(ctx, "postgres://postgres@127.0.0.1:"+port+"/postgres")
	must(err)
	for i := 0; i < rounds; i++ {
		askPostgres(conn, worker, seen)
	}
	must(conn.Close(ctx))
}

func main() {
	store, port := os.Args[1], os.Args[2]
	concurrency, err := strconv.Atoi(os.Args[3])
	must(err)
	rounds, err := strconv.Atoi(os.Args[4])
	must(err)
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, PoolSize: concurrency})
	all := counts{}
	var lock sync.Mutex
	var group sync.WaitGroup
	for i := 0; i < concurrency; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			seen := counts{}
			work(store, port, i, rounds, client, seen)
			lock.Lock()
			defer lock.Unlock()
			all.add(seen)
		}()
	}
	group.Wait()
	must(client.Close())
	must(json.NewEncoder(os.Stdout).Encode(all))
}
