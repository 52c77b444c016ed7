// SPDX-License-Identifier: Apache-2.0

// A server and a client of google.golang.org/grpc, with the service of its own interoperability
// tests. The client makes one call of each kind per round and prints how each ended:
//
//	peer server PORT
//	peer client PORT CONCURRENCY ROUNDS    {"UnaryCall OK": 20, "EmptyCall NotFound": 20, ...}
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

type server struct {
	pb.UnimplementedTestServiceServer
}

func (server) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) {
	return nil, status.Error(codes.NotFound, "secret: not here")
}

func (server) UnaryCall(_ context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{Payload: in.Payload}, nil
}

func (server) StreamingInputCall(stream pb.TestService_StreamingInputCallServer) error {
	for {
		if _, err := stream.Recv(); err == io.EOF {
			return stream.SendAndClose(&pb.StreamingInputCallResponse{})
		} else if err != nil {
			return err
		}
	}
}

func (server) StreamingOutputCall(_ *pb.StreamingOutputCallRequest,
	stream pb.TestService_StreamingOutputCallServer) error {
	for i := 0; i < 4; i++ {
		if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	return nil
}

func (server) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	for {
		if _, err := stream.Recv(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// Answers nothing until the client has given up.
func (server) HalfDuplexCall(stream pb.TestService_HalfDuplexCallServer) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

type call struct {
	name string
	make func(ctx context.Context, client pb.TestServiceClient) error
}

var calls = []call{
	{"EmptyCall", func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.EmptyCall(ctx, &pb.Empty{})
		return err
	}},
	{"UnaryCall", func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{Payload: &pb.Payload{Body: make([]byte, 100)}})
		return err
	}},
	{"UnimplementedCall", func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.UnimplementedCall(ctx, &pb.Empty{})
		return err
	}},
	{"StreamingInputCall", func(ctx context.Context, c pb.TestServiceClient) error {
		stream, err := c.StreamingInputCall(ctx)
		for i := 0; err == nil && i < 3; i++ {
			err = stream.Send(&pb.StreamingInputCallRequest{})
		}
		if err == nil {
			_, err = stream.CloseAndRecv()
		}
		return err
	}},
	{"StreamingOutputCall", func(ctx context.Context, c pb.TestServiceClient) error {
		stream, err := c.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
		for err == nil {
			_, err = stream.Recv()
		}
		return err
	}},
	{"FullDuplexCall", func(ctx context.Context, c pb.TestServiceClient) error {
		stream, err := c.FullDuplexCall(ctx)
		for i := 0; err == nil && i < 5; i++ {
			if err = stream.Send(&pb.StreamingOutputCallRequest{}); err == nil {
				_, err = stream.Recv()
			}
		}
		if err == nil {
			err = stream.CloseSend()
		}
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}},
	{"HalfDuplexCall", func(ctx context.Context, c pb.TestServiceClient) error {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		stream, err := c.HalfDuplexCall(ctx)
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}},
}

func code(err error) codes.Code {
	if err == io.EOF {
		return codes.OK
	}
	return status.Code(err)
}

func runClient(port string, concurrency, rounds int) {
	conn, err := grpc.NewClient("127.0.0.1:"+port,
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client := pb.NewTestServiceClient(conn)
	seen := map[string]int{}
	var lock sync.Mutex
	var group sync.WaitGroup
	for i := 0; i < concurrency; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := 0; round < rounds; round++ {
				for _, call := range calls {
					end := code(call.make(context.Background(), client))
					lock.Lock()
					seen[fmt.Sprint(call.name, " ", end)]++
					lock.Unlock()
				}
			}
		}()
	}
	group.Wait()
	json.NewEncoder(os.Stdout).Encode(seen)
}

func runServer(port string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterTestServiceServer(s, server{})
	log.Fatal(s.Serve(listener))
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func main() {
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "server":
		runServer(arguments[0])
	case "client":
		runClient(arguments[0], number(arguments[1]), number(arguments[2]))
	case "web-server":
		runWebServer(arguments[0], arguments[1])
	case "web-client":
		runWebClient(arguments[0], arguments[1], number(arguments[2]), number(arguments[3]))
	}
}
