import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Posts an order twice with one key, by Java's own client as it comes, which offers HTTP/2 on plain connections. */
class Order {
    private static final String BODY =
        "{\"userWallet\":\"java\",\"inputToken\":\"SOL\",\"outputToken\":\"USDC\",\"inputAmount\":\"1.5\"}";

    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int time = 0; time < 2; time++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0] + "/api/orders"))
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", "java")
                .POST(HttpRequest.BodyPublishers.ofString(BODY))
                .build();
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.headers().firstValue("location").orElse("none"));
        }
    }
}
