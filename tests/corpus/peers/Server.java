// SPDX-License-Identifier: Apache-2.0
// Server PORT: the corpus' routes on the JDK's com.sun.net.httpserver, with a pool of threads.
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.Executors;

public class Server {
    static final byte[] LARGE = "x".repeat(6000).getBytes();
    static final Map<String, Integer> STATUSES = Map.of("/small", 200, "/large", 200, "/empty", 204,
            "/error", 500, "/unchanged", 304, "/until-close", 200);

    static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean none = status == 204 || status == 304 || exchange.getRequestMethod().equals("HEAD");
        if (exchange.getRequestMethod().equals("HEAD"))
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
        exchange.sendResponseHeaders(status, none ? -1 : body.length);
        if (!none)
            exchange.getResponseBody().write(body);
        exchange.close();
    }

    static void chunked(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        for (String part : new String[] {"hello", "x".repeat(1200), "world"}) {
            exchange.getResponseBody().write(part.getBytes());
            exchange.getResponseBody().flush();
        }
        exchange.close();
    }

    static void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath(), method = exchange.getRequestMethod();
        int size = exchange.getRequestBody().readAllBytes().length;
        if (method.equals("POST") || method.equals("PUT"))
            answer(exchange, 200, String.valueOf(size).getBytes());
        else if (path.equals("/chunked") && method.equals("GET"))
            chunked(exchange);
        else
            answer(exchange, STATUSES.getOrDefault(path, 404),
                    path.equals("/large") ? LARGE : "hello".getBytes());
    }

    public static void main(String[] args) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 50);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", Server::handle);
        server.start();
    }
}
