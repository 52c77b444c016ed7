// SPDX-License-Identifier: Apache-2.0

// gRPC-Web by two other implementations, both over HTTP/1.1 and HTTP/2: the proxy of
// github.com/improbable-eng/grpc-web in front of the server of main.go, which also speaks text, and
// connectrpc.com/connect, which is a client, too:
//
//	peer web-server PORT CONNECT_PORT
//	peer web-client PORT 1|2 CONCURRENCY ROUNDS
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"

	"connectrpc.com/connect"
	"github.com/improbable-eng/grpc-web/go/grpcweb"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

const service = "/grpc.testing.TestService/"

func serve(port string, handler http.Handler) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := http.Server{Addr: "127.0.0.1:" + port, Handler: handler, Protocols: &protocols}
	log.Fatal(server.ListenAndServe())
}

func connectHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(service+"UnaryCall", connect.NewUnaryHandler(service+"UnaryCall",
		func(_ context.Context, in *connect.Request[pb.SimpleRequest]) (
			*connect.Response[pb.SimpleResponse], error) {
			return connect.NewResponse(&pb.SimpleResponse{Payload: in.Msg.Payload}), nil
		}))
	mux.Handle(service+"EmptyCall", connect.NewUnaryHandler(service+"EmptyCall",
		func(context.Context, *connect.Request[pb.Empty]) (*connect.Response[pb.Empty], error) {
			return nil, connect.NewError(connect.CodeNotFound, errors.New("secret: not here"))
		}))
	mux.Handle(service+"StreamingOutputCall", connect.NewServerStreamHandler(
		service+"StreamingOutputCall",
		func(_ context.Context, _ *connect.Request[pb.StreamingOutputCallRequest],
			stream *connect.ServerStream[pb.StreamingOutputCallResponse]) error {
			for i := 0; i < 4; i++ {
				if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
					return err
				}
			}
			return nil
		}))
	return mux
}

func runWebServer(port, connectPort string) {
	s := grpc.NewServer()
	pb.RegisterTestServiceServer(s, server{})
	go serve(connectPort, connectHandler())
	serve(port, grpcweb.WrapServer(s))
}

func webCalls(client *http.Client, url string) map[string]func() error {
	web := connect.WithGRPCWeb() // accepts gzip, so that connect's server compresses the trailers, too
	ctx := context.Background()
	unary := connect.NewClient[pb.SimpleRequest, pb.SimpleResponse](client, url+"UnaryCall", web)
	empty := connect.NewClient[pb.Empty, pb.Empty](client, url+"EmptyCall", web)
	stream := connect.NewClient[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse](
		client, url+"StreamingOutputCall", web)
	return map[string]func() error{
		"UnaryCall": func() error {
			payload := &pb.Payload{Body: make([]byte, 100000)}
			_, err := unary.CallUnary(ctx, connect.NewRequest(&pb.SimpleRequest{Payload: payload}))
			return err
		},
		"EmptyCall": func() error {
			_, err := empty.CallUnary(ctx, connect.NewRequest(&pb.Empty{}))
			return err
		},
		"StreamingOutputCall": func() error {
			answers, err := stream.CallServerStream(ctx,
				connect.NewRequest(&pb.StreamingOutputCallRequest{}))
			for err == nil && answers.Receive() {
			}
			if err == nil {
				err = answers.Err()
			}
			return err
		},
	}
}

func webCode(err error) int {
	if err == nil {
		return 0
	}
	return int(connect.CodeOf(err))
}

func runWebClient(port, version string, concurrency, rounds int) {
	var protocols http.Protocols
	protocols.SetHTTP1(version == "1")
	protocols.SetUnencryptedHTTP2(version == "2")
	transport := &http.Transport{Protocols: &protocols, MaxIdleConnsPerHost: 100}
	calls := webCalls(&http.Client{Transport: transport}, "http://127.0.0.1:"+port+service)
	seen := map[string]int{}
	var lock sync.Mutex
	var group sync.WaitGroup
	for i := 0; i < concurrency; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := 0; round < rounds; round++ {
				for name, call := range calls {
					code := webCode(call())
					lock.Lock()
					seen[fmt.Sprint(name, " ", code)]++
					lock.Unlock()
				}
			}
		}()
	}
	group.Wait()
	json.NewEncoder(os.Stdout).Encode(seen)
}
