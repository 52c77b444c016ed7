// SPDX-License-Identifier: Apache-2.0
// Client HOST:PORT: the corpus' requests by java.net.http.HttpClient and by HttpURLConnection.
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class Client {
    static String base;
    static final byte[] BODY = "y".repeat(5000).getBytes();

    static void ask(HttpClient client, String method, String path, BodyPublisher body)
            throws Exception {
        client.send(HttpRequest.newBuilder(URI.create(base + path)).method(method, body).build(),
                BodyHandlers.ofByteArray());
    }

    static void old(String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(base + path).openConnection();
        InputStream stream = connection.getResponseCode() < 400 ? connection.getInputStream()
                : connection.getErrorStream();
        if (stream != null)
            stream.readAllBytes();
    }

    public static void main(String[] args) throws Exception {
        base = "http://" + args[0];
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (String path : new String[] {"/small", "/small?page=2", "/chunked", "/large", "/empty",
            "/unchanged", "/missing/17", "/error"})
            ask(client, "GET", path, BodyPublishers.noBody());
        ask(client, "HEAD", "/small", BodyPublishers.noBody());
        ask(client, "POST", "/echo", BodyPublishers.ofString("a=b"));
        ask(client, "PUT", "/echo", BodyPublishers.ofByteArray(BODY));
        for (String path : new String[] {"/small", "/missing/18"})
            old(path);
        /* Of its own it asks for an upgrade to HTTP/2, which the server passes over. */
        ask(HttpClient.newHttpClient(), "GET", "/small", BodyPublishers.noBody());
    }
}
