// SPDX-License-Identifier: Apache-2.0

// As caller.c, in Go: caller thread|pool|http|loop PORT UPSTREAM_PORT open|hidden
//
// thread: a goroutine locked to its thread for each connection. http: the standard server and
// client, a goroutine for each request. pool: the standard server hands over to other goroutines.
// loop: one goroutine over epoll.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

var upstream string
var hidden bool

func keyOf(path string) string {
	id := path[strings.LastIndex(path, "/")+1:]
	if !hidden {
		return id
	}
	h := fnv.New64a()
	io.WriteString(h, id)
	return fmt.Sprintf("%016x", h.Sum64())
}

// ---- http and pool ----

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

func call(path string) (int, []byte) {
	response, err := client.Get("http://" + upstream + "/y/" + keyOf(path))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, body
}


func serveHTTP(port string, handle func(string) (int, []byte)) {
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			status, body := handle(r.URL.Path)
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.WriteHeader(status)
			w.Write(body)
		})))
}

type result struct {
	status int
	body   []byte
}

type work struct {
	path string
	done chan result
}

func servePool(port string) {
	jobs := make(chan work)
	for i := 0; i < 64; i++ {
		go func() {
			for job := range jobs {
				status, body := call(job.path)
				job.done <- result{status, body}
			}
		}()
	}
	serveHTTP(port, func(path string) (int, []byte) {
		job := work{path, make(chan result)}
		jobs <- job
		r := <-job.done
		return r.status, r.body
	})
}

// ---- thread ----

type dialed struct {
	net.Conn
	reader *bufio.Reader
}

var idle []*dialed
var idleLock sync.Mutex

func takeIdle() *dialed {
	idleLock.Lock()
	defer idleLock.Unlock()
	if n := len(idle); n > 0 {
		d := idle[n-1]
		idle = idle[:n-1]
		return d
	}
	connection, err := net.Dial("tcp", upstream)
	if err != nil {
		log.Fatal(err)
	}
	return &dialed{connection, bufio.NewReader(connection)}
}

func giveIdle(d *dialed) {
	idleLock.Lock()
	idle = append(idle, d)
	idleLock.Unlock()
}

func request(path string) string {
	return "GET /y/" + keyOf(path) + " HTTP/1.1\r\nHost: upstream\r\n\r\n"
}

func answer(status int, body []byte) []byte {
	return append([]byte(fmt.Sprintf("HTTP/1.1 %d Yes\r\nContent-Length: %d\r\n\r\n", status,
		len(body))), body...)
}

func serveConnection(connection net.Conn) {
	runtime.LockOSThread()
	defer connection.Close()
	reader := bufio.NewReader(connection)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		up := takeIdle()
		io.WriteString(up, request(r.URL.Path))
		response, err := http.ReadResponse(up.reader, r)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		giveIdle(up)
		connection.Write(answer(response.StatusCode, body))
	}
}

func serveThreads(port string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serveConnection(connection)
	}
}

// ---- loop ----

type state struct {
	bytes  []byte
	client int // of a connection to the upstream: who waits for it
	isUp   bool
}

type loop struct {
	epoll  int
	states map[int]*state
	idle   []int
}

func (l *loop) watch(fd int, isUp bool) {
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	l.states[fd] = &state{isUp: isUp}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		log.Fatal(err)
	}
}

func address(port string) *syscall.SockaddrInet4 {
	n, _ := strconv.Atoi(port)
	return &syscall.SockaddrInet4{Port: n, Addr: [4]byte{127, 0, 0, 1}}
}

func (l *loop) takeIdle() int {
	if n := len(l.idle); n > 0 {
		fd := l.idle[n-1]
		l.idle = l.idle[:n-1]
		return fd
	}
	fd, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	_, port, _ := net.SplitHostPort(upstream)
	if err := syscall.Connect(fd, address(port)); err != nil {
		log.Fatal(err)
	}
	l.watch(fd, true)
	return fd
}

// The whole message at the beginning, or nil.
func message(b []byte) []byte {
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		return nil
	}
	length := 0
	lower := bytes.ToLower(b[:head])
	if i := bytes.Index(lower, []byte("content-length:")); i >= 0 {
		line := strings.SplitN(string(lower[i+15:]), "\r\n", 2)[0]
		length, _ = strconv.Atoi(strings.TrimSpace(line))
	}
	if len(b) < head+4+length {
		return nil
	}
	return b[:head+4+length]
}

func (l *loop) step(fd int) {
	buffer := make([]byte, 4096)
	s := l.states[fd]
	n, err := syscall.Read(fd, buffer)
	if n <= 0 || err != nil {
		syscall.Close(fd)
		delete(l.states, fd)
		return
	}
	s.bytes = append(s.bytes, buffer[:n]...)
	whole := message(s.bytes)
	if whole == nil {
		return
	}
	s.bytes = nil
	if s.isUp {
		syscall.Write(s.client, whole)
		l.idle = append(l.idle, fd)
		return
	}
	up := l.takeIdle()
	l.states[up].client = fd
	syscall.Write(up, []byte(request(strings.Fields(string(whole))[1])))
}

func serveLoop(port string) {
	listener, _ := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	syscall.SetsockoptInt(listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(listener, address(port)); err != nil {
		log.Fatal(err)
	}
	syscall.Listen(listener, 512)
	epoll, _ := syscall.EpollCreate1(0)
	l := &loop{epoll: epoll, states: map[int]*state{}}
	l.watch(listener, false)
	events := make([]syscall.EpollEvent, 64)
	for {
		n, _ := syscall.EpollWait(epoll, events, -1)
		for i := 0; i < n; i++ {
			if fd := int(events[i].Fd); fd != listener {
				l.step(fd)
			} else if fd, _, err := syscall.Accept(listener); err == nil {
				l.watch(fd, false)
			}
		}
	}
}

func main() {
	mode, port := os.Args[1], os.Args[2]
	upstream, hidden = "127.0.0.1:"+os.Args[3], os.Args[4] == "hidden"
	switch mode {
	case "thread":
		serveThreads(port)
	case "pool":
		servePool(port)
	case "http":
		serveHTTP(port, call)
	default:
		serveLoop(port)
	}
}
