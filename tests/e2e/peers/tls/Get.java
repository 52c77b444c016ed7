// SPDX-License-Identifier: Apache-2.0

// java Get.java URL... : GETs each by Java's own HTTPS, believing any certificate; prints the number
// of answers 200 and stays until its input ends.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

public class Get {
    static final X509TrustManager ANY = new X509TrustManager() {
        public void checkClientTrusted(X509Certificate[] chain, String type) {}
        public void checkServerTrusted(X509Certificate[] chain, String type) {}
        public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    };

    public static void main(String[] urls) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {ANY}, null);
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .sslContext(context).build();
        int good = 0;
        for (String url : urls) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
            if (client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode() == 200)
                good++;
        }
        System.out.println(good);
        System.in.readAllBytes();
    }
}
