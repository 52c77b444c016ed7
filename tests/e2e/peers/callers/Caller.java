// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * As caller.c, in Java: Caller thread|pool|loop PORT UPSTREAM_PORT open|hidden
 *
 * thread: a thread for each connection, blocking streams. pool: a selector's thread reads, an
 * executor's threads call and answer. loop: one selector's thread does everything.
 */
public final class Caller {
    private static final InetAddress LOCAL = InetAddress.getLoopbackAddress();
    private static int upstreamPort;
    private static boolean hidden;

    private static String call(String request) {
        String path = request.split(" ", 3)[1];
        String id = path.substring(path.lastIndexOf('/') + 1);
        if (hidden) {
            long h = 0xcbf29ce484222325L;
            for (byte b : id.getBytes(StandardCharsets.ISO_8859_1)) {
                h = (h ^ (b & 0xff)) * 0x100000001b3L;
            }
            id = String.format("%016x", h);
        }
        return "GET /y/" + id + " HTTP/1.1\r\nHost: upstream\r\n\r\n";
    }

    /** The whole message at the beginning, or null. */
    private static String message(String text) {
        int head = text.indexOf("\r\n\r\n");
        if (head < 0) {
            return null;
        }
        int at = text.toLowerCase().indexOf("content-length:");
        int length = 0;
        if (at >= 0 && at < head) {
            length = Integer.parseInt(text.substring(at + 15, text.indexOf("\r\n", at)).trim());
        }
        return text.length() < head + 4 + length ? null : text.substring(0, head + 4 + length);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String read(InputStream in) throws IOException {
        byte[] buffer = new byte[4096];
        String text = "";
        int n;
        while ((n = in.read(buffer)) > 0) {
            text += new String(buffer, 0, n, StandardCharsets.ISO_8859_1);
            String whole = message(text);
            if (whole != null) {
                return whole;
            }
        }
        return null;
    }

    private static final ConcurrentLinkedDeque<Socket> idle = new ConcurrentLinkedDeque<>();

    /** What the upstream says to the request. */
    private static byte[] ask(String request) throws IOException {
        Socket upstream = idle.pollFirst();
        if (upstream == null) {
            upstream = new Socket(LOCAL, upstreamPort);
            upstream.setTcpNoDelay(true);
        }
        upstream.getOutputStream().write(bytes(call(request)));
        String answer = read(upstream.getInputStream());
        idle.addFirst(upstream);
        return bytes(answer);
    }

    private static void serve(Socket socket) {
        try (socket) {
            String request;
            socket.setTcpNoDelay(true);
            while ((request = read(socket.getInputStream())) != null) {
                socket.getOutputStream().write(ask(request));
            }
        } catch (IOException e) {
            e.printStackTrace();
        }
    }

    private static void runThreads(int port) throws IOException {
        try (ServerSocket listener = new ServerSocket(port, 512, LOCAL)) {
            while (true) {
                Socket socket = listener.accept();
                new Thread(() -> serve(socket)).start();
            }
        }
    }

    // ---- over a selector ----

    private static final class State {
        String text = "";
        SocketChannel client; // of a connection to the upstream: who waits for it
        boolean upstream;
    }

    private static Selector selector;
    private static final ArrayDeque<SocketChannel> idleChannels = new ArrayDeque<>();

    private static void watch(SocketChannel channel, boolean upstream) throws IOException {
        State state = new State();
        state.upstream = upstream;
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, state);
    }

    private static void write(SocketChannel channel, byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static void forward(SocketChannel client, String request) throws IOException {
        SocketChannel upstream = idleChannels.pollFirst();
        if (upstream == null) {
            upstream = SocketChannel.open(new InetSocketAddress(LOCAL, upstreamPort));
            watch(upstream, true);
        }
        ((State) upstream.keyFor(selector).attachment()).client = client;
        write(upstream, bytes(call(request)));
    }

    private static void step(SelectionKey key, ExecutorService executor) throws IOException {
        SocketChannel channel = (SocketChannel) key.channel();
        State state = (State) key.attachment();
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        if (channel.read(buffer) <= 0) {
            channel.close();
            return;
        }
        state.text += new String(buffer.array(), 0, buffer.position(), StandardCharsets.ISO_8859_1);
        String whole = message(state.text);
        if (whole == null) {
            return;
        }
        state.text = "";
        if (state.upstream) {
            write(state.client, bytes(whole));
            idleChannels.addFirst(channel);
        } else if (executor == null) {
            forward(channel, whole);
        } else {
            executor.submit(() -> {
                write(channel, ask(whole));
                return null;
            });
        }
    }

    private static void runSelector(int port, ExecutorService executor) throws IOException {
        selector = Selector.open();
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.bind(new InetSocketAddress(LOCAL, port), 512);
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        while (true) {
            selector.select();
            Iterator<SelectionKey> keys = selector.selectedKeys().iterator();
            while (keys.hasNext()) {
                SelectionKey key = keys.next();
                keys.remove();
                if (key.isValid() && key.isAcceptable()) {
                    watch(listener.accept(), false);
                } else if (key.isValid()) {
                    step(key, executor);
                }
            }
        }
    }

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(args[1]);
        upstreamPort = Integer.parseInt(args[2]);
        hidden = args[3].equals("hidden");
        if (args[0].equals("thread")) {
            runThreads(port);
        } else {
            runSelector(port, args[0].equals("pool") ? Executors.newFixedThreadPool(64) : null);
        }
    }
}
